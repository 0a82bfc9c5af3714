{{/* The name that all resources begin with. */}}
{{- define "exemplar.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains (include "exemplar.name" .) .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "exemplar.name" .) | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "exemplar.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 50 | trimSuffix "-" }}
{{- end }}

{{/* What pods are selected by. Takes a dict: root, component (optional: all of them). */}}
{{- define "exemplar.selector" -}}
app.kubernetes.io/name: {{ include "exemplar.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{/* The labels of a resource. Takes a dict: root, component (optional). */}}
{{- define "exemplar.labels" -}}
{{ include "exemplar.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "exemplar.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}

{{/* The settings as environment variables, without those that are empty; whole numbers are written as such, which YAML's
floats would not be. */}}
{{- define "exemplar.settings" -}}
{{- range $name, $value := .Values.settings }}
{{- if and (kindIs "float64" $value) (eq (floor $value) $value) }}
{{- $value = int64 $value }}
{{- end }}
{{- if toString $value }}
EXEMPLAR_{{ upper $name }}: {{ toString $value | quote }}
{{- end }}
{{- end }}
{{- if not .Values.settings.events_url }}
EXEMPLAR_EVENTS_URL: http://{{ include "exemplar.fullname" . }}-events:8000
{{- end }}
EXEMPLAR_SECRETS_DIR: /etc/exemplar/secrets
EXEMPLAR_VAULT_KEY_FILE: /etc/exemplar/secrets/vault.key
EXEMPLAR_AUDIT_KEY_FILE: /etc/exemplar/secrets/audit.key
{{- if .Values.policy }}
EXEMPLAR_POLICY_FILE: /etc/exemplar/policy/policy.toml
{{- end }}
{{- if .Values.erasures.claim }}
EXEMPLAR_ERASURES_DIR: /var/lib/exemplar-erasures
{{- end }}
{{- end }}

{{/* What every pod has in common. Takes a dict: root, component, config (the name of its ConfigMap), account, container
(what this container has besides). */}}
{{- define "exemplar.pod" -}}
{{- $values := .root.Values -}}
{{- with .account }}
serviceAccountName: {{ . }}
{{- end }}
automountServiceAccountToken: false
# A Service named exemplar would otherwise set EXEMPLAR_PORT, which is a setting.
enableServiceLinks: false
terminationGracePeriodSeconds: 20
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
{{- with $values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  - name: {{ .component }}
    image: {{ include "exemplar.image" .root | quote }}
    imagePullPolicy: {{ $values.image.pullPolicy }}
    args: [{{ .component }}]
    envFrom:
      - configMapRef: {name: {{ .config }}}
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities: {drop: [ALL]}
    {{- with .container }}
    {{- . | nindent 4 }}
    {{- end }}
    resources:
      {{- toYaml (index $values .component).resources | nindent 6 }}
    volumeMounts:
      - {name: data, mountPath: /var/lib/exemplar}
      - {name: tmp, mountPath: /tmp}
      - {name: secrets, mountPath: /etc/exemplar/secrets, readOnly: true}
      {{- if $values.policy }}
      - {name: policy, mountPath: /etc/exemplar/policy, readOnly: true}
      {{- end }}
      {{- if $values.erasures.claim }}
      - {name: erasures, mountPath: /var/lib/exemplar-erasures}
      {{- end }}
volumes:
  - name: data
    emptyDir: {sizeLimit: 64Mi}
  - name: tmp
    emptyDir: {sizeLimit: 64Mi}
  - name: secrets
    secret:
      secretName: {{ required "existingSecret: name the Secret with exemplar_database_url, vault.key and audit.key" $values.existingSecret }}
      defaultMode: 0440
  {{- if $values.policy }}
  - name: policy
    configMap: {name: {{ .config }}-policy}
  {{- end }}
  {{- if $values.erasures.claim }}
  - name: erasures
    persistentVolumeClaim: {claimName: {{ $values.erasures.claim }}}
  {{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
