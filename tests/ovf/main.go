// SPDX-License-Identifier: Apache-2.0

// ovf-import FILE.ovf: reads a descriptor with govmomi and imports it into govmomi's vCenter simulator (OvfManager.CreateImportSpec).
// Prints what came out as JSON.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/ovf"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

type property struct {
	Key, Type, Label, Default string
	Password, Configurable    bool
}

type result struct {
	Name, Transport, GuestID string
	CPUs                     int32
	MemoryMB                 int64
	Devices, Files, Problems []string
	Properties               []property
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// read fills in what the parser sees.
func read(descriptor string, out *result) {
	envelope, err := ovf.Unmarshal(strings.NewReader(descriptor))
	must(err)
	system := envelope.VirtualSystem
	out.Name, out.Transport = text(system.Name), text(system.VirtualHardware[0].Transport)
	for _, p := range system.Product[0].Property {
		out.Properties = append(out.Properties, property{Key: p.Key, Type: p.Type, Label: text(p.Label), Default: text(p.Default),
			Password: p.Password != nil && *p.Password, Configurable: p.UserConfigurable != nil && *p.UserConfigurable})
	}
}

// place finds where a virtual machine goes in the simulator.
func place(ctx context.Context, client *govmomi.Client) (*object.ResourcePool, *object.Datastore, types.OvfNetworkMapping) {
	finder := find.NewFinder(client.Client)
	datacenter, err := finder.DefaultDatacenter(ctx)
	must(err)
	finder.SetDatacenter(datacenter)
	datastore, err := finder.DefaultDatastore(ctx)
	must(err)
	pool, err := finder.ResourcePool(ctx, "DC0_H0/Resources")
	must(err)
	network, err := finder.Network(ctx, "VM Network")
	must(err)
	return pool, datastore, types.OvfNetworkMapping{Name: "VM Network", Network: network.Reference()}
}

func importInto(ctx context.Context, client *govmomi.Client, descriptor string, out *result) {
	pool, datastore, network := place(ctx, client)
	spec, err := ovf.NewManager(client.Client).CreateImportSpec(ctx, descriptor, pool, datastore,
		types.OvfCreateImportSpecParams{EntityName: "courier", NetworkMapping: []types.OvfNetworkMapping{network}})
	must(err)
	for _, problem := range append(spec.Error, spec.Warning...) {
		out.Problems = append(out.Problems, problem.LocalizedMessage)
	}
	for _, file := range spec.FileItem {
		out.Files = append(out.Files, file.Path)
	}
	machine, ok := spec.ImportSpec.(*types.VirtualMachineImportSpec)
	if !ok {
		log.Fatalf("the import specification is a %T", spec.ImportSpec)
	}
	out.GuestID, out.CPUs, out.MemoryMB = machine.ConfigSpec.GuestId, machine.ConfigSpec.NumCPUs, machine.ConfigSpec.MemoryMB
	for _, change := range machine.ConfigSpec.DeviceChange {
		name := fmt.Sprintf("%T", change.GetVirtualDeviceConfigSpec().Device)
		out.Devices = append(out.Devices, strings.TrimPrefix(name, "*types."))
	}
}

func main() {
	descriptor, err := os.ReadFile(os.Args[1])
	must(err)
	var out result
	read(string(descriptor), &out)
	model := simulator.VPX()
	must(model.Create())
	server := model.Service.NewServer()
	defer server.Close()
	ctx := context.Background()
	client, err := govmomi.NewClient(ctx, server.URL, true)
	must(err)
	importInto(ctx, client, string(descriptor), &out)
	must(json.NewEncoder(os.Stdout).Encode(out))
}
