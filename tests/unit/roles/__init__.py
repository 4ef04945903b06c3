# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later
