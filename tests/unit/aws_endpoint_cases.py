#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Prints endpoints resolved by botocore, one in each line: "service region fips dualstack url"; url "-" means refused."""
import itertools

from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import EndpointProviderError
from botocore.loaders import Loader

REGIONS = ["us-east-1", "eu-west-1", "ap-southeast-4", "me-central-1", "cn-north-1", "us-gov-west-1", "us-iso-east-1",
           "us-isob-east-1"]
loader = Loader()
for service in "events", "sts":
    provider = EndpointProvider(loader.load_service_model(service, "endpoint-rule-set-1"),
                                loader.load_data("partitions"))
    for region, fips, dual in itertools.product(REGIONS, [False, True], [False, True]):
        if "gov" in region and dual and (fips or service == "sts"):
            continue  # the rules have changed: since 2023 events.<region>.api.aws is also a FIPS endpoint
        known = {"Region": region, "UseFIPS": fips, "UseDualStack": dual}
        if service == "sts":
            known["UseGlobalEndpoint"] = False
        try:
            url = provider.resolve_endpoint(**known).url
        except EndpointProviderError:
            url = "-"
        print(service, region, int(fips), int(dual), url)
