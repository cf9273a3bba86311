// SPDX-License-Identifier: Apache-2.0
/* One line per backend. */
PROCESSOR(knative)
PROCESSOR(openfaas)
PROCESSOR(eventbridge)
PROCESSOR(functions)
