// SPDX-License-Identifier: Apache-2.0

// Checks dashboards against Grafana's own schemas: every key and type, of the panels' plugins, too.
package main

import (
	"fmt"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func check(path string) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	d := dashboard.Dashboard{}
	err = d.UnmarshalJSONStrict(raw)
	if list, ok := err.(cog.BuildErrors); err != nil && (!ok || len(list) > 0) {
		return err
	}
	return d.Validate()
}

func main() {
	plugins.RegisterDefaultPlugins()
	for _, path := range os.Args[1:] {
		if err := check(path); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", path, err)
			os.Exit(1)
		}
	}
}
