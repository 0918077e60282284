"""Printed numbers, checked: mean +- sd and n, t and p, KS and p. No runs needed."""
