# SPDX-License-Identifier: Apache-2.0
"""Starts a whole pipeline on this machine: nats-server, vCenter simulator, collector, dispatcher, receiver. Uses only the standard
library. The integration tests, the demo and the benchmarks use it."""
