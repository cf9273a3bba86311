// SPDX-License-Identifier: Apache-2.0

// Goproxy fills in what Go's net/http.ProxyFromEnvironment says for each line of tests/data/proxies.tsv: environment,
// URL, answer, divided by tabs; it copies a line that wants a newer Go ("go1.24" as its fourth field). net/http
// reads the environment once, so each line needs its own process.
package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

var ports = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}

func answer(target string) string {
	u, err := url.Parse(target)
	if err != nil {
		return "bad URL"
	}
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: u})
	if err != nil {
		return "error: " + err.Error()
	}
	if proxy == nil {
		return "direct"
	}
	port := proxy.Port()
	if port == "" {
		port = ports[proxy.Scheme]
	}
	where := proxy.Scheme + "://" + net.JoinHostPort(proxy.Hostname(), port)
	if proxy.User != nil {
		password, _ := proxy.User.Password()
		where += " " + proxy.User.Username() + ":" + password
	}
	return where
}

// Whether this is Go "go1.24" or newer.
func isAtLeast(want string) bool {
	var minor, wanted int
	fmt.Sscanf(runtime.Version(), "go1.%d", &minor)
	fmt.Sscanf(want, "go1.%d", &wanted)
	return minor >= wanted
}

func min(a, b int) int {
	if a < b {
		return a
	}
	return b
}

func main() {
	if len(os.Args) == 2 {
		fmt.Println(answer(os.Args[1]))
		return
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		field := strings.Split(lines.Text(), "\t")
		if len(field) < 2 || strings.HasPrefix(lines.Text(), "#") {
			fmt.Println(lines.Text())
			continue
		}
		if len(field) > 3 && !isAtLeast(field[3]) {
			fmt.Println(lines.Text())
			continue
		}
		child := exec.Command(os.Args[0], field[1])
		child.Env = strings.Split(field[0], ";")
		out, err := child.Output()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		field = append(append(field[:2:2], strings.TrimSpace(string(out))), field[min(len(field), 3):]...)
		fmt.Println(strings.Join(field, "\t"))
	}
}
