{{- define "holdfast.unprivileged" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "holdfast.controllerSecurity" -}}
runAsNonRoot: {{ include "holdfast.runAsUser" . | ne "0" }}
{{ include "holdfast.unprivileged" . }}
{{- end -}}

{{/* kubelet asks over HTTP whether a process is well. Call with (dict "path" "port" "hostNetwork"). */}}
{{- define "holdfast.httpProbe" -}}
httpGet:
  path: {{ .path }}
  port: {{ .port }}
  {{- if .hostNetwork }}
  host: 127.0.0.1
  {{- end }}
initialDelaySeconds: 10
timeoutSeconds: 5
periodSeconds: 30
failureThreshold: 5
{{- end -}}

{{/* One sidecar of the controller pod. Call with (dict "root" $ "role" "provisioner"). */}}
{{- define "holdfast.controllerSidecar" -}}
{{- $values := .root.Values -}}
{{- $own := index $values .role -}}
{{- $port := index $values.ports .role -}}
{{- $listen := include "holdfast.listen" (dict "port" $port "hostNetwork" $values.controller.hostNetwork) -}}
- name: csi-{{ .role }}
  image: {{ include "holdfast.image" (dict "root" .root "image" $own.image) }}
  imagePullPolicy: {{ $values.images.pullPolicy }}
  args:
    - --csi-address=/csi/csi.sock
    - --leader-election
    - --leader-election-namespace=$(POD_NAMESPACE)
    - --http-endpoint={{ $listen }}
    - --timeout={{ $own.timeout }}
    - --v={{ $values.controller.verbosity }}
    {{- if and (eq .role "provisioner") $values.csiDriver.storageCapacity }}
    - --enable-capacity
    - --capacity-ownerref-level=2
    {{- end }}
    {{- range $own.extraArgs }}
    - {{ . | quote }}
    {{- end }}
  env:
    {{- include "holdfast.podEnv" . | nindent 4 }}
  ports:
    - name: {{ .role }}
      containerPort: {{ $port }}
  livenessProbe:
    {{- include "holdfast.httpProbe" (dict "path" "/healthz/leader-election" "port" .role "hostNetwork" $values.controller.hostNetwork) | nindent 4 }}
  securityContext:
    {{- include "holdfast.controllerSecurity" .root | nindent 4 }}
  resources:
    {{- toYaml $own.resources | nindent 4 }}
  volumeMounts:
    - name: socket
      mountPath: /csi
{{- end -}}

{{- define "holdfast.podEnv" -}}
- name: NAMESPACE
  valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
- name: POD_NAMESPACE
  valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- name: NODE_NAME
  valueFrom: {fieldRef: {fieldPath: spec.nodeName}}
{{- end -}}

{{/* The sidecar that asks the driver whether it is well. Call with (dict "root" $ "hostNetwork" … ). */}}
{{- define "holdfast.livenessSidecar" -}}
{{- $values := .root.Values -}}
- name: livenessprobe
  image: {{ include "holdfast.image" (dict "root" .root "image" $values.liveness.image) }}
  imagePullPolicy: {{ $values.images.pullPolicy }}
  args:
    - --csi-address=/csi/csi.sock
    - --http-endpoint={{ include "holdfast.listen" (dict "port" $values.ports.liveness "hostNetwork" .hostNetwork) }}
    {{- range $values.liveness.extraArgs }}
    - {{ . | quote }}
    {{- end }}
  ports:
    - name: healthz
      containerPort: {{ $values.ports.liveness }}
  securityContext:
    {{- include "holdfast.unprivileged" .root | nindent 4 }}
  resources:
    {{- toYaml $values.liveness.resources | nindent 4 }}
  volumeMounts:
    - name: socket
      mountPath: /csi
{{- end -}}

{{/* The driver in a container of its own. Call with (dict "root" $ "part" "controller" or "node"). */}}
{{- define "holdfast.driver" -}}
{{- $values := .root.Values -}}
{{- $pod := index $values .part -}}
- name: driver
  {{- if $values.driver.holdfast.enabled }}
  {{- $own := $values.driver.holdfast }}
  image: {{ include "holdfast.image" (dict "root" .root "image" $own.image) }}
  imagePullPolicy: {{ $values.images.pullPolicy }}
  args:
    {{- include "holdfast.driverArgs" . | nindent 4 }}
  {{- else }}
  {{- $own := index $values.driver.external .part }}
  image: {{ include "holdfast.externalImage" .root }}
  imagePullPolicy: {{ $values.images.pullPolicy }}
  {{- with $own.command }}
  command:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $own.args }}
  args:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
  env:
    - name: CSI_ENDPOINT
      value: unix:///csi/csi.sock
    {{- include "holdfast.podEnv" . | nindent 4 }}
    {{- if not $values.driver.holdfast.enabled }}
    {{- with (index $values.driver.external .part).env }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- end }}
  {{- if $values.driver.holdfast.enabled }}
  ports:
    - name: driver
      containerPort: {{ $values.ports.driver }}
  {{- end }}
  {{- if $values.liveness.enabled }}
  livenessProbe:
    {{- include "holdfast.httpProbe" (dict "path" "/healthz" "port" $values.ports.liveness "hostNetwork" $pod.hostNetwork) | nindent 4 }}
  {{- end }}
  securityContext:
    {{- if $values.driver.holdfast.enabled }}
    {{- include "holdfast.driverSecurity" . | nindent 4 }}
    {{- else }}
    {{- toYaml (index $values.driver.external .part).securityContext | nindent 4 }}
    {{- end }}
  resources:
    {{- toYaml $pod.driverResources | nindent 4 }}
  volumeMounts:
    - name: socket
      mountPath: /csi
    {{- include "holdfast.driverMounts" . | nindent 4 }}
{{- end -}}

{{- define "holdfast.driverArgs" -}}
{{- $values := .root.Values -}}
{{- $own := $values.driver.holdfast -}}
- --backend={{ $own.backend }}
- --driver-name={{ include "holdfast.driverName" .root }}
- --role={{ .part }}
- --node-id=$(NODE_NAME)
- --pool-dir={{ $own.poolPath }}
{{- if $own.zone }}
- --zone={{ $own.zone }}
{{- end }}
{{- if $own.maxVolumesPerNode }}
- --max-volumes-per-node={{ $own.maxVolumesPerNode }}
{{- end }}
- --http-endpoint={{ include "holdfast.listen" (dict "port" $values.ports.driver "hostNetwork" (index $values .part).hostNetwork) }}
- --v={{ (index $values .part).verbosity }}
{{- range $own.extraArgs }}
- {{ . | quote }}
{{- end }}
{{- end -}}

{{- define "holdfast.externalImage" -}}
{{- $_ := include "holdfast.driverName" . -}}
{{- $image := .Values.driver.external.image -}}
{{- if not $image.repository -}}
{{- fail "driver.external.image.repository is needed with driver.holdfast.enabled=false: the image of the driver" -}}
{{- end -}}
{{- if not (or $image.tag $image.digest) -}}
{{- fail "driver.external.image needs a tag or a digest" -}}
{{- end -}}
{{- if $image.digest -}}{{ $image.repository }}@{{ $image.digest }}{{- else -}}{{ $image.repository }}:{{ $image.tag }}{{- end -}}
{{- end -}}

{{/* Holdfast's driver and what belongs to it in one process. Call with (dict "root" $ "part" "controller" or "node"). */}}
{{- define "holdfast.combinedDriver" -}}
{{- $values := .root.Values -}}
{{- $pod := index $values .part -}}
- name: driver
  image: {{ include "holdfast.image" (dict "root" .root "image" $values.combined.image) }}
  imagePullPolicy: {{ $values.images.pullPolicy }}
  args:
    - node
    - --roles=driver,{{ if eq .part "node" }}registrar,{{ end }}livenessprobe
    - --endpoint=unix:///csi/csi.sock
    {{- include "holdfast.driverArgs" . | nindent 4 }}
    {{- if eq .part "node" }}
    - --kubelet-registration-path={{ include "holdfast.pluginPath" .root }}/csi.sock
    {{- end }}
  env:
    {{- include "holdfast.podEnv" . | nindent 4 }}
  ports:
    - name: driver
      containerPort: {{ $values.ports.driver }}
  livenessProbe:
    {{- include "holdfast.httpProbe" (dict "path" "/healthz" "port" "driver" "hostNetwork" $pod.hostNetwork) | nindent 4 }}
  securityContext:
    {{- include "holdfast.driverSecurity" . | nindent 4 }}
  resources:
    {{- toYaml $pod.driverResources | nindent 4 }}
  volumeMounts:
    - name: socket
      mountPath: /csi
    {{- if eq .part "node" }}
    - name: registration
      mountPath: /registration
    {{- end }}
    {{- include "holdfast.driverMounts" . | nindent 4 }}
{{- end -}}

{{- define "holdfast.registrar" -}}
- name: node-driver-registrar
  image: {{ include "holdfast.image" (dict "root" . "image" .Values.registrar.image) }}
  imagePullPolicy: {{ .Values.images.pullPolicy }}
  args:
    - --csi-address=/csi/csi.sock
    - --kubelet-registration-path={{ include "holdfast.pluginPath" . }}/csi.sock
    - --http-endpoint={{ include "holdfast.listen" (dict "port" .Values.ports.registrar "hostNetwork" .Values.node.hostNetwork) }}
    - --v={{ .Values.node.verbosity }}
    {{- range .Values.registrar.extraArgs }}
    - {{ . | quote }}
    {{- end }}
  ports:
    - name: registrar
      containerPort: {{ .Values.ports.registrar }}
  livenessProbe:
    {{- include "holdfast.httpProbe" (dict "path" "/healthz" "port" "registrar" "hostNetwork" .Values.node.hostNetwork) | nindent 4 }}
  securityContext:
    {{- include "holdfast.unprivileged" . | nindent 4 }}
  resources:
    {{- toYaml .Values.registrar.resources | nindent 4 }}
  volumeMounts:
    - name: socket
      mountPath: /csi
    - name: registration
      mountPath: /registration
{{- end -}}

{{/* The three controllers in one process. */}}
{{- define "holdfast.controllers" -}}
{{- $values := .Values -}}
- name: controllers
  image: {{ include "holdfast.image" (dict "root" . "image" $values.combined.image) }}
  imagePullPolicy: {{ $values.images.pullPolicy }}
  args:
    - controllers
    - --roles={{ include "holdfast.roles" . }}
    - --csi-address=/csi/csi.sock
    - --leader-election
    - --leader-election-namespace=$(POD_NAMESPACE)
    - --http-endpoint={{ include "holdfast.listen" (dict "port" $values.ports.combined "hostNetwork" $values.controller.hostNetwork) }}
    - --v={{ $values.controller.verbosity }}
    {{- range $role := splitList "," (include "holdfast.roles" .) }}
    - --{{ $role }}-timeout={{ (index $values $role).timeout }}
    {{- if and (eq $role "provisioner") $values.csiDriver.storageCapacity }}
    - --provisioner-enable-capacity
    - --provisioner-capacity-ownerref-level=2
    {{- end }}
    {{- range (index $values $role).extraArgs }}
    - {{ regexReplaceAll "^--?" . (printf "--%s-" $role) | quote }}
    {{- end }}
    {{- end }}
  env:
    {{- include "holdfast.podEnv" . | nindent 4 }}
  ports:
    - name: controllers
      containerPort: {{ $values.ports.combined }}
  livenessProbe:
    {{- include "holdfast.httpProbe" (dict "path" "/healthz/leader-election" "port" "controllers" "hostNetwork" $values.controller.hostNetwork) | nindent 4 }}
  securityContext:
    {{- include "holdfast.controllerSecurity" . | nindent 4 }}
  resources:
    {{- toYaml $values.controller.resources | nindent 4 }}
  volumeMounts:
    - name: socket
      mountPath: /csi
{{- end -}}

{{/* Mounts and loop devices are the node's; the controller reads and writes files of the pool, which are root's. */}}
{{- define "holdfast.driverSecurity" -}}
{{- if eq .part "node" -}}
privileged: true
runAsUser: 0
readOnlyRootFilesystem: true
{{- else -}}
runAsUser: 0
{{- include "holdfast.unprivileged" .root | nindent 0 }}
{{- end -}}
{{- end -}}

{{- define "holdfast.driverMounts" -}}
{{- $values := .root.Values -}}
{{- if $values.driver.holdfast.enabled -}}
- name: pool
  mountPath: {{ $values.driver.holdfast.poolPath }}
{{- end }}
{{- if eq .part "node" }}
- name: kubelet-pods
  mountPath: {{ $values.node.kubeletPath }}/pods
  mountPropagation: Bidirectional
- name: kubelet-csi
  mountPath: {{ $values.node.kubeletPath }}/plugins/kubernetes.io/csi
  mountPropagation: Bidirectional
- name: dev
  mountPath: /dev
  mountPropagation: HostToContainer
- name: udev
  mountPath: /run/udev
  readOnly: true
{{- end }}
{{- if not $values.driver.holdfast.enabled }}
{{- with (index $values.driver.external .part).volumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}
{{- end -}}
