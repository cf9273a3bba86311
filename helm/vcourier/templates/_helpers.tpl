{{/* Labels of an object. (dict "root" $ "name" NAME "component" COMPONENT "version" true); all but root may be absent. */}}
{{- define "vcourier.labels" -}}
{{- with .name }}
app.kubernetes.io/name: {{ . }}
{{- end }}
app.kubernetes.io/part-of: vcourier
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- if .version }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
{{- end }}
{{- end }}

{{/* The sources, those of the old chart's values among them, as {"list": [...]}. */}}
{{- define "vcourier.sources" -}}
{{- $list := .Values.sources }}
{{- if .Values.eventrouter }}
{{- $list = append $list (include "vcourier.old.source" . | fromYaml) }}
{{- end }}
{{- $out := list }}
{{- range $list }}
{{- $type := .type | default "vcenter" }}
{{- if and (ne $type "webhook") (not (and .address .username)) }}
{{- fail (printf "sources: %s: address and username are missing" .name) }}
{{- end }}
{{- if and (eq $type "horizon") (not .domain) }}
{{- fail (printf "sources: %s: domain is missing" .name) }}
{{- end }}
{{- $out = append $out (merge (dict "type" $type "objectName" (.objectName | default (printf "collector-%s" (.name | lower)))
	"existingSecret" (.existingSecret | default (printf "collector-%s" (.name | lower)))) .) }}
{{- end }}
{{- dict "list" $out | toYaml }}
{{- end }}

{{/* The block of a source in the configuration. */}}
{{- define "vcourier.sourceBlock" -}}
{{- $secret := printf "/etc/vcourier/secrets/%s" .type }}
{{- if eq .type "webhook" }}
{{- mergeOverwrite (dict "bindAddress" "0.0.0.0:8080") (.webhook | default dict) | toYaml }}
{{- else if eq .type "horizon" }}
{{- $auth := dict "type" "active_directory" "activeDirectoryAuth" (dict "domain" .domain "username" .username "passwordFile" $secret) }}
{{- mergeOverwrite (dict "address" .address "standby" "${VCOURIER_STANDBY:-false}" "auth" $auth) (.horizon | default dict) | toYaml }}
{{- else }}
{{- $auth := dict "type" "basic_auth" "basicAuth" (dict "username" .username "passwordFile" $secret) }}
{{- mergeOverwrite (dict "address" .address "standby" "${VCOURIER_STANDBY:-false}" "auth" $auth) (.vcenter | default dict) | toYaml }}
{{- end }}
{{- end }}

{{/* The dispatchers, likewise. */}}
{{- define "vcourier.dispatchers" -}}
{{- $list := .Values.dispatchers }}
{{- if .Values.eventrouter }}
{{- $list = append $list (include "vcourier.old.dispatcher" . | fromYaml) }}
{{- end }}
{{- $out := list }}
{{- range $list }}
{{- $name := printf "dispatcher-%s" (.name | lower) }}
{{- $out = append $out (merge (dict "objectName" $name "existingSecret" (.existingSecret | default $name)) .) }}
{{- end }}
{{- dict "list" $out | toYaml }}
{{- end }}

{{- define "vcourier.image" -}}
image: {{ printf "%s%s:%s" .root.Values.image.prefix .name (.root.Values.image.tag | default .root.Chart.AppVersion) | quote }}
{{- with .root.Values.image.pullPolicy }}
imagePullPolicy: {{ . }}
{{- end }}
{{- end }}

{{- /* A lost query is sent again after 1 s, not 5: packets of a new pod get lost until all network policies know its address. */ -}}
{{- define "vcourier.dnsConfig" -}}
{options: [{name: timeout, value: "1"}, {name: attempts, value: "5"}]}
{{- end }}

{{- define "vcourier.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "vcourier.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* What the pods of collectors and dispatchers have in common: (dict "root" $ "object" OBJECT "program" "collector" "variable" "VCENTER" "token" false) */}}
{{- define "vcourier.pod" -}}
{{- $root := .root }}
metadata:
  labels:
    {{- include "vcourier.labels" (dict "root" $root "name" .object.objectName "component" .program "version" true) | nindent 4 }}
    vcourier.io/bus: client
  annotations:
    checksum/config: {{ include "vcourier.config" $root | sha256sum }}
spec:
  serviceAccountName: {{ .object.objectName }}
  automountServiceAccountToken: {{ .token }}
  enableServiceLinks: false
  terminationGracePeriodSeconds: 30
  dnsConfig: {{ include "vcourier.dnsConfig" $root }}
  {{- with $root.Values.image.pullSecrets }}
  imagePullSecrets: {{ toJson . }}
  {{- end }}
  {{- with $root.Values.nodeSelector }}
  nodeSelector: {{ toJson . }}
  {{- end }}
  {{- with $root.Values.tolerations }}
  tolerations: {{ toJson . }}
  {{- end }}
  {{- if $root.Values.ha }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector: {matchLabels: {vcourier.io/bus: client}}
      matchLabelKeys: [app.kubernetes.io/name]
  {{- end }}
  securityContext:
    {{- include "vcourier.podSecurity" $root | nindent 4 }}
  containers:
    - name: {{ .program }}
      {{- include "vcourier.image" (dict "root" $root "name" (get $root.Values.image .program)) | nindent 6 }}
      args: [--config, /etc/vcourier/config/config.yaml, --name, "$({{ .variable }})", --metrics, "0.0.0.0:8082"]
      env:
        - {name: {{ .variable }}, value: {{ .object.name | quote }}}
        - {name: NATS_USER, value: "{{ .program }}-$({{ .variable }})"}
        {{- if $root.Values.ha }}
        - {name: NATS_REPLICAS, value: "3"}
        - {name: VCOURIER_STANDBY, value: "true"}
        {{- end }}
      ports:
        - {name: metrics, containerPort: 8082}
        {{- if eq (.object.type | default "") "webhook" }}
        - {name: webhook, containerPort: {{ include "vcourier.webhookPort" .object }}}
        {{- end }}
      livenessProbe:
        httpGet: {path: /livez, port: metrics}
        periodSeconds: 10
        timeoutSeconds: 5
      readinessProbe:
        httpGet: {path: /readyz, port: metrics}
        periodSeconds: 1
        timeoutSeconds: 5
      resources: {{ toJson $root.Values.resources }}
      securityContext:
        {{- include "vcourier.containerSecurity" $root | nindent 8 }}
      volumeMounts:
        - {name: config, mountPath: /etc/vcourier/config, readOnly: true}
        - {name: secrets, mountPath: /etc/vcourier/secrets, readOnly: true}
        {{- if $root.Values.bus.caSecret }}
        - {name: bus-ca, mountPath: /etc/vcourier/bus-ca, readOnly: true}
        {{- end }}
        {{- if eq (.object.type | default "") "functions" }}
        - {name: functions, mountPath: /etc/vcourier/functions, readOnly: true}
        {{- end }}
  volumes:
    - {name: config, configMap: {name: vcourier-config}}
    - {name: secrets, secret: {secretName: {{ .object.existingSecret }}, defaultMode: 0440}}
    {{- with $root.Values.bus.caSecret }}
    - {name: bus-ca, secret: {secretName: {{ . }}, defaultMode: 0440}}
    {{- end }}
    {{- if eq (.object.type | default "") "functions" }}
    - {name: functions, configMap: {name: {{ .object.name | lower }}}}
    {{- end }}
{{- end }}

{{/* The port of a webhook, from its bindAddress. */}}
{{- define "vcourier.webhookPort" -}}
{{- (.webhook | default dict).bindAddress | default "0.0.0.0:8080" | splitList ":" | last }}
{{- end }}

{{/* Service account, Service and PodDisruptionBudget of a collector or dispatcher. */}}
{{- define "vcourier.around" -}}
{{- $labels := include "vcourier.labels" (dict "root" .root "name" .object.objectName "component" .program "version" true) }}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ .object.objectName }}
  labels: {{- $labels | nindent 4 }}
  {{- with (.object.serviceAccount | default dict).annotations }}
  annotations: {{ toJson . }}
  {{- end }}
automountServiceAccountToken: false
---
apiVersion: v1
kind: Service
metadata:
  name: {{ .object.objectName }}
  labels: {{- $labels | nindent 4 }}
spec:
  clusterIP: None
  publishNotReadyAddresses: true
  selector: {app.kubernetes.io/name: {{ .object.objectName }}}
  ports:
    - {name: metrics, port: 8082, targetPort: metrics}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ .object.objectName }}
  labels: {{- $labels | nindent 4 }}
spec:
  maxUnavailable: 1
  selector: {matchLabels: {app.kubernetes.io/name: {{ .object.objectName }}}}
{{- end }}
