# SPDX-License-Identifier: Apache-2.0
"""A function for the appliance: its program, its image without an engine, its manifest. The program logs the id of each event that it gets,
and opens a connection when it is asked to."""
import hashlib
import io
import json
import os
import subprocess
import tarfile

NAME, IMAGE = "recorder", "localhost/recorder:1"
PROGRAM = """package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Println("event", r.Header.Get("Ce-Id"))
		w.WriteHeader(204)
	})
	http.HandleFunc("/dial/", func(w http.ResponseWriter, r *http.Request) {
		connection, err := net.DialTimeout("tcp", r.URL.Path[len("/dial/"):], 10*time.Second)
		if err == nil {
			connection.Close()
		}
		fmt.Fprintln(w, "user", os.Getuid(), "connected", err == nil)
	})
	panic(http.ListenAndServe(":"+os.Getenv("PORT"), nil))
}
"""
MANIFEST = f"""apiVersion: serving.knative.dev/v1
kind: Service
metadata: {{name: {NAME}}}
spec:
  template:
    spec:
      containers:
      - image: {IMAGE}
        imagePullPolicy: Never
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {{name: {NAME}}}
spec:
  broker: default
  subscriber: {{ref: {{apiVersion: serving.knative.dev/v1, kind: Service, name: {NAME}}}}}
"""


def archive_of(files):
    """A tar of {path: content}, each executable."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for path, data in files.items():
            info = tarfile.TarInfo(path)
            info.size, info.mode = len(data), 0o755
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def image(directory):
    """As `docker save` writes it: https://github.com/moby/docker-image-spec"""
    source = directory / "function"
    source.mkdir()
    (source / "main.go").write_text(PROGRAM)
    subprocess.run(["go", "build", "-trimpath", "-ldflags=-s -w", "-o", "recorder", "main.go"], cwd=source, check=True,
                   env={**os.environ, "CGO_ENABLED": "0", "GO111MODULE": "off", "GOFLAGS": ""})
    layer = archive_of({"recorder": (source / "recorder").read_bytes()})
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Entrypoint": ["/recorder"], "User": "65532"},
                         "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]}}).encode()
    manifest = json.dumps([{"Config": "config.json", "RepoTags": [IMAGE], "Layers": ["layer.tar"]}]).encode()
    return archive_of({"config.json": config, "layer.tar": layer, "manifest.json": manifest})
