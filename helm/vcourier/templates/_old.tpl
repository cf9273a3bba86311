{{/* Values of the chart of the VMware Event Router (`eventrouter.*`) as one source and one dispatcher. Passwords are not taken from values. */}}
{{- define "vcourier.old.password" -}}
{{- fail (printf "eventrouter.%s: a password in values is stored in the release; create the Secret %s with the key %s, and remove this value" .value .secret .key) }}
{{- end }}

{{- define "vcourier.old.source" -}}
{{- $old := .Values.eventrouter }}
{{- $vcenter := $old.vcenter | default dict }}
{{- $provider := $old.eventProvider | default "vcenter" }}
{{- if ne $provider "vcenter" }}
{{- fail (printf "eventrouter.eventProvider: %s is not a source of vcourier; there is: vcenter" $provider) }}
{{- end }}
{{- if $vcenter.password }}
{{- include "vcourier.old.password" (dict "value" "vcenter.password" "secret" "collector-vcenter" "key" "vcenter") }}
{{- end }}
{{- if not $vcenter.address }}
{{- fail "eventrouter.vcenter.address: is missing" }}
{{- end }}
name: vcenter
address: {{ $vcenter.address | quote }}
username: {{ $vcenter.username | default "" | quote }}
{{- if $vcenter.insecure }}
vcenter: {insecureSSL: true}
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
