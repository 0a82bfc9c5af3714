"""The dashboard in a real browser. What `opened` asserts is told in full, as in a test itself."""

import pytest

pytest.register_assert_rewrite("tests.browser.opened")
