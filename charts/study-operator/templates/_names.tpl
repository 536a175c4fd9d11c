{{- define "study-operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "study-operator.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains (include "study-operator.name" .) .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "study-operator.name" .) | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- /* Of objects without a namespace. Two releases for all namespaces of one name collide, which Helm tells. */}}
{{- define "study-operator.clusterName" -}}
{{- if .Values.watchNamespaces }}
{{- printf "%s-%s" (include "study-operator.fullname" .) .Release.Namespace }}
{{- else }}
{{- include "study-operator.fullname" . }}
{{- end }}
{{- end }}

{{- define "study-operator.serviceAccount" -}}
{{- default (include "study-operator.fullname" .) .Values.serviceAccount.name }}
{{- end }}

{{- /* The lease has one name in every release: who serves the same namespaces shares it. */}}
{{- define "study-operator.leaseName" -}}
study-operator
{{- end }}

{{- define "study-operator.leaseNamespace" -}}
{{- default (default "kube-system" (first .Values.watchNamespaces)) .Values.leaderElection.namespace }}
{{- end }}

{{- define "study-operator.image" -}}
{{- with default .Values.image.registry .Values.global.imageRegistry }}{{ . }}/{{ end }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- with .Values.image.digest }}@{{ . }}{{ end }}
{{- end }}

{{- define "study-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "study-operator.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "study-operator.labels" -}}
{{- $own := dict
  "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_")
  "app.kubernetes.io/version" .Chart.AppVersion
  "app.kubernetes.io/component" "operator"
  "app.kubernetes.io/part-of" "study-operator"
  "app.kubernetes.io/managed-by" .Release.Service }}
{{- toYaml (merge (include "study-operator.selectorLabels" . | fromYaml) $own .Values.commonLabels) }}
{{- end }}

{{- /* Those of an object that something selects by labels of its own, which go before all others: (list $ labels). */}}
{{- define "study-operator.ownLabelsFirst" -}}
{{- toYaml (merge (dict) (index . 1) (include "study-operator.labels" (index . 0) | fromYaml)) }}
{{- end }}

{{- define "study-operator.prometheusFolder" -}}
/etc/study-operator/prometheus
{{- end }}

{{- /* What the operator asks Prometheus with: every secret is a file of one volume. */}}
{{- define "study-operator.prometheusSources" -}}
{{- with .Values.prometheus }}
{{- if .bearerToken.secretName }}
- secret: {name: {{ .bearerToken.secretName | quote }}, items: [{key: {{ .bearerToken.key | quote }}, path: bearer-token}]}
{{- end }}
{{- if .basicAuth.passwordSecretName }}
- secret: {name: {{ .basicAuth.passwordSecretName | quote }}, items: [{key: {{ .basicAuth.passwordKey | quote }}, path: password}]}
{{- end }}
{{- if .tls.caSecretName }}
- secret: {name: {{ .tls.caSecretName | quote }}, items: [{key: {{ .tls.caKey | quote }}, path: ca.crt}]}
{{- else if .tls.caConfigMapName }}
- configMap: {name: {{ .tls.caConfigMapName | quote }}, items: [{key: {{ .tls.caKey | quote }}, path: ca.crt}]}
{{- end }}
{{- if .tls.clientCertificateSecretName }}
- secret: {name: {{ .tls.clientCertificateSecretName | quote }}, items: [{key: tls.crt, path: tls.crt}, {key: tls.key, path: tls.key}]}
{{- end }}
{{- range .secretHeaders }}
- secret: {name: {{ .secretName | quote }}, items: [{key: {{ .key | quote }}, path: {{ printf "headers/%s" .name | quote }}}]}
{{- end }}
{{- end }}
{{- end }}

{{- define "study-operator.args" -}}
{{- range .Values.watchNamespaces }}
- --namespace={{ . }}
{{- end }}
- --http-port={{ .Values.port | int }}
- --log-level={{ .Values.log.level }}
- --log-format={{ .Values.log.format }}
- --retention={{ .Values.retentionSeconds | int }}
- --resync={{ .Values.resyncSeconds | int }}
{{- if .Values.leaderElection.enabled }}
- --lease-namespace={{ include "study-operator.leaseNamespace" . }}
- --lease-name={{ include "study-operator.leaseName" . }}
- --lease-duration={{ .Values.leaderElection.leaseDurationSeconds | int }}
{{- else }}
- --no-leader-election
{{- end }}
{{- $folder := include "study-operator.prometheusFolder" . }}
{{- with .Values.prometheus }}
{{- if .url }}
- {{ printf "--prometheus-url=%s" .url | quote }}
{{- end }}
{{- if .bearerToken.secretName }}
- --prometheus-bearer-token-file={{ $folder }}/bearer-token
{{- end }}
{{- if .basicAuth.passwordSecretName }}
- {{ printf "--prometheus-username=%s" .basicAuth.username | quote }}
- --prometheus-password-file={{ $folder }}/password
{{- end }}
{{- if or .tls.caSecretName .tls.caConfigMapName }}
- --prometheus-ca-file={{ $folder }}/ca.crt
{{- end }}
{{- if .tls.clientCertificateSecretName }}
- --prometheus-certificate-file={{ $folder }}/tls.crt
- --prometheus-key-file={{ $folder }}/tls.key
{{- end }}
{{- range $name, $value := .headers }}
- {{ printf "--prometheus-header=%s=%s" $name $value | quote }}
{{- end }}
{{- range .secretHeaders }}
- --prometheus-header={{ .name }}=@{{ $folder }}/headers/{{ .name }}
{{- end }}
{{- end }}
{{- with .Values.extraArgs }}
{{ toYaml . }}
{{- end }}
{{- end }}
