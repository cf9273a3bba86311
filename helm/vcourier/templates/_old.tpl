{{/* Values of the chart of the VMware Event Router (`eventrouter.*`) as one source and one dispatcher. Passwords are not taken from values. */}}
{{- define "vcourier.old.password" -}}
{{- fail (printf "eventrouter.%s: a password in values is stored in the release; create the Secret %s with the key %s, and remove this value" .value .secret .key) }}
{{- end }}

{{- define "vcourier.old.source" -}}
{{- $old := .Values.eventrouter }}
{{- $provider := $old.eventProvider | default "vcenter" }}
{{- if not (has $provider (list "vcenter" "horizon" "webhook")) }}
{{- fail (printf "eventrouter.eventProvider: %s is not a source of vcourier; there are: vcenter, horizon, webhook" $provider) }}
{{- end }}
{{- $block := get $old $provider | default dict }}
{{- if $block.password }}
{{- include "vcourier.old.password" (dict "value" (printf "%s.password" $provider) "secret" (printf "collector-%s" $provider) "key" $provider) }}
{{- end }}
name: {{ $provider }}
type: {{ $provider }}
{{- if eq $provider "webhook" }}
webhook:
  bindAddress: {{ printf "0.0.0.0:%v" ($block.port | default 8080) | quote }}
  {{- with $block.path }}
  path: {{ . | quote }}
  {{- end }}
  {{- if $block.username }}
  auth:
    type: basic_auth
    basicAuth: {username: {{ $block.username | quote }}, passwordFile: /etc/vcourier/secrets/webhook}
  {{- end }}
{{- else }}
{{- if not $block.address }}
{{- fail (printf "eventrouter.%s.address: is missing" $provider) }}
{{- end }}
address: {{ $block.address | quote }}
username: {{ $block.username | default "" | quote }}
{{- with $block.domain }}
domain: {{ . | quote }}
{{- end }}
{{- if $block.insecure }}
{{ $provider }}: {insecureSSL: true}
{{- end }}
{{- end }}
{{- end }}

{{- define "vcourier.old.dispatcher" -}}
{{- $old := .Values.eventrouter }}
{{- $type := $old.eventProcessor | default "openfaas" }}
{{- if eq $type "openfaas" }}
{{- $faas := $old.openfaas | default dict }}
{{- if $faas.password }}
{{- include "vcourier.old.password" (dict "value" "openfaas.password" "secret" "dispatcher-openfaas" "key" "gateway") }}
{{- end }}
name: openfaas
type: openfaas
config:
  address: {{ $faas.address | default "http://gateway.openfaas:8080" | quote }}
  async: {{ $faas.async | default false }}
  {{- if $faas.basicAuth }}
  auth:
    type: basic_auth
    basicAuth: {username: {{ $faas.username | default "admin" | quote }}, passwordFile: /etc/vcourier/secrets/gateway}
  {{- end }}
{{- else if eq $type "knative" }}
{{- $knative := $old.knative | default dict }}
name: knative
type: knative
config:
  encoding: {{ $knative.encoding | default "structured" }}
  {{- if $knative.insecureSSL }}
  insecureSSL: true
  {{- end }}
  destination: {{ toJson ($knative.destination | default dict) }}
{{- else }}
{{- fail (printf "eventrouter.eventProcessor: %s is not a dispatcher of the old chart; there are: openfaas, knative" $type) }}
{{- end }}
{{- end }}

{{/* The options of the block log: those of the old chart count when it is used. */}}
{{- define "vcourier.log" -}}
{{- $log := .Values.log }}
{{- with (.Values.eventrouter | default dict).config }}
{{- if .logLevel }}
{{- $log = merge (dict "level" .logLevel) $log }}
{{- end }}
{{- if hasKey . "json" }}
{{- $log = merge (dict "format" (ternary "json" "logfmt" .json)) $log }}
{{- end }}
{{- end }}
{{- toJson $log }}
{{- end }}
