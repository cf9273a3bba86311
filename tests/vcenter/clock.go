// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// Clock stands in for the ServiceInstance when a client asks for the time.
type Clock struct {
	mo.ServiceInstance
	log *eventLog
}

func (c *Clock) CurrentTime(ctx *simulator.Context, req *types.CurrentTime) soap.HasFault {
	return &methods.CurrentTimeBody{Res: &types.CurrentTimeResponse{Returnval: c.log.now().UTC()}}
}
