"""What every test may use."""

pytest_plugins = ["pytester"]  # runs the tests of tests: rlaudit's own pytest plugin
