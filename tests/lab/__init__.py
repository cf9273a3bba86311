# SPDX-License-Identifier: Apache-2.0
"""A whole pipeline on this machine: nats-server, vCenter simulator, collector, dispatcher, receiver. Standard library only:
the integration tests, the demo and the benchmarks all stand on it."""
