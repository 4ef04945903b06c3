// Copyright (c) 2026, longshore contributors
// SPDX-License-Identifier: GPL-3.0-or-later
module longshore.delivery/lab/pause

go 1.26.0
