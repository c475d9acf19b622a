{{- define "diptych.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What never changes of a component's pods: (list $ "commands"). */}}
{{- define "diptych.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ $root.Chart.Name }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "diptych.labels" -}}
{{- $root := index . 0 -}}
{{ include "diptych.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- end -}}

{{/* The image of the service: (list $ .Values.image). */}}
{{- define "diptych.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- if $image.digest -}}
{{ $root.Values.image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $root.Values.image.repository }}:{{ $image.tag | default $root.Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* Of every pod: it needs nothing of the cluster, and nothing of the node. */}}
{{- define "diptych.pod" -}}
{{- $root := index . 0 -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  seccompProfile:
    type: RuntimeDefault
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "diptych.container" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end -}}

{{/* Where the pods of a component run: (list $ "commands" .Values.commands). */}}
{{- define "diptych.placement" -}}
{{- $of := index . 2 -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "diptych.selector" . | nindent 8 }}
{{- with $of.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $of.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $of.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The URLs that a component needs, and no others. */}}
{{- define "diptych.databases" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- if ne $component "queries" }}
- name: DATABASE_URL
  valueFrom:
    secretKeyRef: {name: {{ $root.Values.database.secret }}, key: DATABASE_URL}
{{- end }}
{{- if ne $component "commands" }}
- name: MONGODB_URL
  valueFrom:
    secretKeyRef: {name: {{ $root.Values.database.secret }}, key: MONGODB_URL}
{{- end }}
{{- end -}}

{{/* The settings of a role: (list $ "commands" "commands" .Values.commands). */}}
{{- define "diptych.settings" -}}
{{- $root := index . 0 -}}
{{- $values := $root.Values -}}
- name: ROLES
  value: {{ index . 2 }}
{{- if $values.auth.keysOnly }}
- name: AUTH
  value: keys
{{- else }}
- name: AUTH_ISSUERS
  value: {{ join "," $values.auth.issuers | quote }}
- name: AUTH_AUDIENCES
  value: {{ join "," $values.auth.audiences | quote }}
{{- end }}
# Probes and Prometheus call a pod by its address.
- name: POD_IP
  valueFrom:
    fieldRef: {fieldPath: status.podIP}
- name: ALLOWED_HOSTS
  value: {{ printf "%s,%s" (join "," $values.hosts) (eq $values.ipFamily "IPv6" | ternary "[$(POD_IP)]" "$(POD_IP)") | quote }}
- name: HOST
  value: {{ eq $values.ipFamily "IPv6" | ternary "::" "0.0.0.0" | quote }}
- name: FORWARDED_ALLOW_IPS
  value: {{ $values.forwardedAllowIps | quote }}
- name: STOP_DELAY
  value: {{ $values.stopDelaySeconds | quote }}
{{- include "diptych.databases" (list $root (index . 2)) }}
{{- range $name, $value := merge (dict) (index . 3).settings $values.settings }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end -}}

{{/*
The deployment of a role: (list $ "commands" "commands" .Values.commands .Values.image).
The second is the name of the component, the third its role.
*/}}
{{- define "diptych.deployment" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $role := index . 2 -}}
{{- $of := index . 3 -}}
{{- $autoscaling := $of.autoscaling | default (dict "enabled" false) -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "diptych.name" $root }}-{{ $component }}
  labels:
    {{- include "diptych.labels" . | nindent 4 }}
spec:
  {{- if not $autoscaling.enabled }}
  replicas: {{ $of.replicas }}
  {{- end }}
  strategy:
    type: RollingUpdate
    rollingUpdate: {maxSurge: 1, maxUnavailable: 0}
  selector:
    matchLabels:
      {{- include "diptych.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "diptych.labels" . | nindent 8 }}
    spec:
      {{- include "diptych.pod" . | nindent 6 }}
      {{- include "diptych.placement" (list $root $component $of) | nindent 6 }}
      # The delay, 10 s for requests under way, and 20 s to close connections.
      terminationGracePeriodSeconds: {{ add $root.Values.stopDelaySeconds 35 }}
      containers:
        - name: diptych
          image: {{ include "diptych.image" (list $root (index . 4)) }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          {{- include "diptych.container" . | nindent 10 }}
          env:
            {{- include "diptych.settings" (list $root $component $role $of) | nindent 12 }}
          ports:
            - {name: http, containerPort: 8000}
          # A database that is away is no reason to restart a process.
          livenessProbe:
            httpGet: {path: /health/live, port: http}
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 6
          readinessProbe:
            httpGet: {path: "/health/ready?role={{ $role }}", port: http}
            periodSeconds: 5
            timeoutSeconds: 5
            failureThreshold: 2
          startupProbe:
            httpGet: {path: /health/live, port: http}
            periodSeconds: 2
            failureThreshold: 60
          resources:
            {{- toYaml $of.resources | nindent 12 }}
          volumeMounts:
            - {name: tmp, mountPath: /tmp}
      volumes:
        - name: tmp
          emptyDir: {medium: Memory, sizeLimit: 64Mi}
{{- end -}}
