{{- /* Values that are well-formed one by one and cannot work together, told in words; the rest is values.schema.json's. */}}
{{- define "study-operator.validate" -}}
{{- if and (gt (int .Values.replicas) 1) (not .Values.leaderElection.enabled) }}
{{- fail "replicas: more than one replica needs leaderElection.enabled: without the lease all of them would act" }}
{{- end }}
{{- if not (or .Values.serviceAccount.create .Values.serviceAccount.name) }}
{{- fail "serviceAccount.name: name the ServiceAccount, as none is created; under the name default every pod of the namespace would have the operator's rights" }}
{{- end }}
{{- with .Values.prometheus }}
{{- if ne (empty .basicAuth.username) (empty .basicAuth.passwordSecretName) }}
{{- fail "prometheus.basicAuth: username and passwordSecretName go together; set both, or neither" }}
{{- end }}
{{- if and .bearerToken.secretName .basicAuth.passwordSecretName }}
{{- fail "prometheus: bearerToken and basicAuth are both set, and a query has one Authorization header; leave one of them out" }}
{{- end }}
{{- if and .tls.caSecretName .tls.caConfigMapName }}
{{- fail "prometheus.tls: caSecretName and caConfigMapName are both set; leave one of them out" }}
{{- end }}
{{- range $name, $_ := .headers }}
{{- if has (lower $name) (list "authorization" "proxy-authorization" "cookie" "x-api-key") }}
{{- fail (printf "prometheus.headers.%s: its value is a secret, and headers are options of the process that anybody can read; use prometheus.secretHeaders, bearerToken or basicAuth" $name) }}
{{- end }}
{{- end }}
{{- if and (not .url) (or .bearerToken.secretName .basicAuth.username .tls.caSecretName .tls.caConfigMapName .tls.clientCertificateSecretName .headers .secretHeaders) }}
{{- fail "prometheus.url: it is empty, and how to ask Prometheus is set; set the address too" }}
{{- end }}
{{- end }}
{{- end }}
