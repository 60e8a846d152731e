#!/bin/sh
if [ "${1}" != "minio" ]; then
	if [ -n "${1}" ]; then
		set -- minio "$@"
	fi
fi
docker_switch_user() {
	if [ -n "${MINIO_USERNAME}" ] && [ -n "${MINIO_GROUPNAME}" ]; then
		if [ -n "${MINIO_UID}" ] && [ -n "${MINIO_GID}" ]; then
			chroot --userspec=${MINIO_UID}:${MINIO_GID} / "$@"
		else
			echo "${MINIO_USERNAME}:x:1000:1000:${MINIO_USERNAME}:/:/sbin/nologin" >>/etc/passwd
			chroot --userspec=${MINIO_USERNAME}:${MINIO_GROUPNAME} / "$@"
		fi
	else
		exec "$@"
	fi
}
docker_secrets_env() {
	if [ -f "/run/secrets/${MINIO_ROOT_USER_FILE:-access_key}" ]; then
		MINIO_ROOT_USER="$(cat "/run/secrets/${MINIO_ROOT_USER_FILE:-access_key}")"
		export MINIO_ROOT_USER
	fi
}
docker_secrets_env
docker_switch_user "$@"
