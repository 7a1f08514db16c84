{{- define "holdfast.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "holdfast.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "holdfast.labels" -}}
{{ include "holdfast.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "holdfast.driverName" -}}
{{- if .Values.driver.name -}}
{{- .Values.driver.name -}}
{{- else if .Values.driver.holdfast.enabled -}}
{{- printf "%s.csi.holdfast" .Values.driver.holdfast.backend -}}
{{- else -}}
{{- fail "driver.name is needed with somebody else's driver: the name that its GetPluginInfo answers" -}}
{{- end -}}
{{- end -}}

{{- define "holdfast.isAttached" -}}
{{- $given := .Values.csiDriver.attachRequired -}}
{{- if kindIs "bool" $given -}}
{{- if $given -}}true{{- end -}}
{{- else if not .Values.driver.holdfast.enabled -}}
true
{{- else if eq .Values.driver.holdfast.backend "disk" -}}
true
{{- end -}}
{{- end -}}

{{- define "holdfast.hasAttacher" -}}
{{- if kindIs "bool" .Values.attacher.enabled -}}
{{- if .Values.attacher.enabled -}}true{{- end -}}
{{- else -}}
{{- include "holdfast.isAttached" . -}}
{{- end -}}
{{- end -}}

{{/* The controllers' roles that are on, in order, separated by commas. */}}
{{- define "holdfast.roles" -}}
{{- $roles := list -}}
{{- if .Values.provisioner.enabled -}}{{- $roles = append $roles "provisioner" -}}{{- end -}}
{{- if include "holdfast.hasAttacher" . -}}{{- $roles = append $roles "attacher" -}}{{- end -}}
{{- if .Values.resizer.enabled -}}{{- $roles = append $roles "resizer" -}}{{- end -}}
{{- join "," $roles -}}
{{- end -}}

{{/* Call with (dict "root" $ "image" .Values.….image). */}}
{{- define "holdfast.image" -}}
{{- $registry := .root.Values.images.registry -}}
{{- $repository := .image.repository -}}
{{- $hasRegistry := and (contains "/" $repository) (regexMatch "[.:]" (index (splitList "/" $repository) 0)) -}}
{{- $name := ternary $repository (printf "%s/%s" (trimSuffix "/" $registry) $repository) (or $hasRegistry (empty $registry)) -}}
{{- if .image.digest -}}
{{- printf "%s@%s" $name .image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (default (default .root.Chart.AppVersion .root.Values.images.tag) .image.tag) -}}
{{- end -}}
{{- end -}}

{{/* Address for an HTTP server: of the pod, or of loopback where the pod has the node's network. */}}
{{- define "holdfast.listen" -}}
{{- if .hostNetwork -}}127.0.0.1:{{ .port }}{{- else -}}:{{ .port }}{{- end -}}
{{- end -}}

{{- define "holdfast.pluginPath" -}}
{{ .Values.node.kubeletPath }}/plugins/{{ include "holdfast.driverName" . }}
{{- end -}}

{{/* The socket of Holdfast's driver is for its group; that of most others for root alone. */}}
{{- define "holdfast.runAsUser" -}}
{{- if kindIs "invalid" .Values.controller.runAsUser -}}
{{- ternary 65532 0 .Values.driver.holdfast.enabled -}}
{{- else -}}
{{- int .Values.controller.runAsUser -}}
{{- end -}}
{{- end -}}

{{- define "holdfast.metricsPortNames" -}}
{{- if eq .Values.layout "combined" -}}
controllers
{{- else -}}
{{ include "holdfast.roles" . }}
{{- end -}}
{{- if .Values.driver.holdfast.enabled -}},driver{{- end -}}
{{- end -}}

{{- define "holdfast.metricsPorts" -}}
{{- range splitList "," (include "holdfast.metricsPortNames" .) }}
- {port: {{ . }}, protocol: TCP}
{{- end }}
{{- end -}}
