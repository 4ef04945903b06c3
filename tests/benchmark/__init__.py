# Copyright (c) 2026, longshore contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long deliveries take. Outside of pytest as well the checkout is imported as the collection, by what tests/conftest.py does."""

from tests.conftest import CHECKOUT as CHECKOUT
