# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long deliveries take. By what tests/conftest.py does, the checkout is imported as the collection without pytest too."""

from tests.conftest import CHECKOUT as CHECKOUT
