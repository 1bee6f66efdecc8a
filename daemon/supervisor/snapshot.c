/* SPDX-License-Identifier: MIT */
#include "daemon/supervisor/snapshot.h"

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "daemon/edge/edge_listener.h"
#include "daemon/process/memory.h"
#include "daemon/supervisor/policy_sockets.h"
#include "daemon/supervisor/snapshot_steps.h"
#include "daemon/web/web_settings.h"
#include "tls/https.h"

/* ten thousand domains, each with a policy of its own */
enum { PASSWORD_SIZE = 512, WEB_MAX = 64 * 1024 * 1024 };

static int remember_file(void *arg, const char *path)
{
	return gp_snapshot_watch(arg, path, NULL);
}

/* ---- backends ---- */

static int resolve_backend(struct gp_conf *conf, size_t i, struct gp_buf *errors)
{
	const struct gp_conf_address *address = &conf->listeners[i].backend.address;
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct gp_endpoint endpoint;
	struct addrinfo *list;
	int error;

	if (address->path || address->endpoint.family != GP_ENDPOINT_NONE)
		return GP_OK;
	error = getaddrinfo(address->host, NULL, &hints, &list);
	if (error) {
		gp_conf_complain_of_backend(conf, i, errors,
					    "backend.address: the host name \"%s\" cannot be "
					    "resolved: %s",
					    address->host,
					    error == EAI_SYSTEM ? strerror(errno)
								: gai_strerror(error));
		return GP_E_CONF;
	}
	gp_endpoint_from_sockaddr((struct sockaddr_storage *)(void *)list->ai_addr, &endpoint);
	freeaddrinfo(list);
	endpoint.port = address->endpoint.port;
	if (conf->listeners[i].backend.tls == GP_BACKEND_TLS_OFF &&
	    !gp_endpoint_is_loopback(&endpoint)) {
		gp_conf_complain_of_backend(conf, i, errors,
					    "backend %s is on another machine: set backend.tls = "
					    "\"verify\" and backend.tls-ca",
					    address->text);
		return GP_E_CONF;
	}
	return gp_conf_set_backend_address(conf, i, &endpoint);
}

/* Put the contents of the file `path` (NULL: none) in by `set`, which is one of conf.h. */
static int read_pem(struct gp_snapshot *snapshot, const char *path, size_t i,
		    int (*set)(struct gp_conf *conf, size_t i, const char *pem),
		    struct gp_buf *errors)
{
	struct gp_buf pem;
	int ret;

	if (!path)
		return GP_OK;
	ret = gp_snapshot_read_file(snapshot, path, &pem, errors);
	if (ret == GP_OK)
		ret = set(snapshot->conf, i, pem.len ? gp_buf_cstr(&pem) : "");
	gp_buf_deinit(&pem);
	return ret;
}

static int read_backend_ca(struct gp_snapshot *snapshot, size_t i, struct gp_buf *errors)
{
	const struct gp_conf_backend *backend = &snapshot->conf->listeners[i].backend;

	if (backend->tls == GP_BACKEND_TLS_OFF)
		return GP_OK;
	return read_pem(snapshot, backend->tls_ca, i, gp_conf_set_backend_ca, errors);
}

/* The first line of its file. */
static int read_backend_password(struct gp_snapshot *snapshot, size_t i, struct gp_buf *errors)
{
	const struct gp_conf_backend *backend = &snapshot->conf->listeners[i].backend;
	char password[PASSWORD_SIZE];
	struct gp_buf text;
	struct gp_str rest;
	int ret;

	if (backend->login != GP_CONF_LOGIN_MASTER_USER)
		return GP_OK;
	ret = gp_snapshot_read_file(snapshot, backend->login_password_file, &text, errors);
	rest = gp_str_from(text.data, text.len);
	gp_str_copy(gp_str_chomp(gp_str_split(&rest, '\n')), password, sizeof(password));
	if (ret == GP_OK && !*password) {
		gp_buf_appendf(errors, "%s: the first line contains no password\n",
			       backend->login_password_file);
		ret = GP_E_CONF;
	}
	if (ret == GP_OK)
		ret = gp_conf_set_backend_password(snapshot->conf, i, password);
	explicit_bzero(password, sizeof(password));
	gp_buf_deinit(&text);
	return ret;
}

static int complete_listeners(struct gp_snapshot *snapshot, struct gp_buf *errors)
{
	int ret = GP_OK;

	for (size_t i = 0; i < snapshot->conf->listener_count; i++) {
		int one = resolve_backend(snapshot->conf, i, errors);

		if (one == GP_OK)
			one = read_backend_ca(snapshot, i, errors);
		if (one == GP_OK)
			one = read_pem(snapshot, snapshot->conf->listeners[i].s2s_ca, i,
				       gp_conf_set_s2s_ca, errors);
		if (one == GP_OK)
			one = read_backend_password(snapshot, i, errors);
		if (ret == GP_OK)
			ret = one;
	}
	return ret;
}

/* ---- the machine ---- */

/* The name that its resolver makes of the host name, if that has no dot. */
static void find_hostname(char out[static HOST_NAME_MAX + 1])
{
	const struct addrinfo hints = { .ai_flags = AI_CANONNAME };
	struct addrinfo *list;

	if (gethostname(out, HOST_NAME_MAX + 1) != 0)
		strcpy(out, "localhost");
	out[HOST_NAME_MAX] = '\0';
	if (strchr(out, '.') || getaddrinfo(out, NULL, &hints, &list) != 0)
		return;
	if (list->ai_canonname && strchr(list->ai_canonname, '.'))
		snprintf(out, HOST_NAME_MAX + 1, "%s", list->ai_canonname);
	freeaddrinfo(list);
}

static int complete_hostname(struct gp_conf *conf)
{
	char hostname[HOST_NAME_MAX + 1];

	if (conf->server.hostname)
		return GP_OK;
	find_hostname(hostname);
	return gp_conf_set_hostname(conf, hostname);
}

/* ---- client certificates ---- */

static int read_client_authorities(struct gp_snapshot *snapshot, struct gp_buf *errors)
{
	int ret = GP_OK;

	for (size_t i = 0; i < snapshot->conf->client_certificate_count; i++) {
		int one = read_pem(snapshot, snapshot->conf->client_certificates[i].ca, i,
				   gp_conf_set_client_ca, errors);

		if (ret == GP_OK)
			ret = one;
	}
	return ret;
}

/* ---- session tickets ---- */

static int read_ticket_keys(struct gp_snapshot *snapshot, struct gp_buf *errors)
{
	const char *path = snapshot->conf->server.ticket_keys;
	struct gp_buf text;
	unsigned line;
	int ret;

	if (!path)
		return GP_OK;
	ret = gp_snapshot_read_file(snapshot, path, &text, errors);
	if (ret == GP_OK) {
		ret = gp_ticket_keys_parse(gp_str_from(text.data, text.len), snapshot->ticket_keys,
					   &snapshot->ticket_key_count, &line);
		if (ret != GP_OK)
			gp_buf_appendf(errors,
				       "%s:%u: not a ticket key of 80 bytes in base64; write 1 to "
				       "%d of them, one on each line\n",
				       path, line, GP_TICKET_KEYS);
	}
	gp_buf_deinit(&text);
	return ret;
}

/* ---- all together ---- */

/* Do what a worker will do, so that it cannot fail there. Its certificates were judged before. */
static int rehearse(const struct gp_snapshot *snapshot, const struct gp_buf *pack_data,
		    struct gp_buf *errors)
{
	const struct gp_conf *conf = snapshot->conf;
	struct gp_certpack *pack;
	struct gp_tls_store *store;
	char reason[256];
	int ret = gp_certpack_open(pack_data->data, pack_data->len, &pack);

	if (ret != GP_OK)
		return ret;
	store = gp_tls_store_new(pack, NULL, 0, NULL);
	if (!store) {
		gp_certpack_close(pack);
		return GP_E_NOMEM;
	}
	for (size_t i = 0; i < conf->listener_count; i++) {
		struct gp_edge_listener *listener;

		if (gp_edge_listener_new(conf, &conf->listeners[i], store, &listener, reason,
					 sizeof(reason)) == GP_OK) {
			gp_edge_listener_unref(listener);
			continue;
		}
		gp_buf_appendf(errors, "listener %s@%s: %s\n",
			       gp_role_name(conf->listeners[i].role),
			       conf->listeners[i].address.text, reason);
		ret = GP_E_CONF;
	}
	gp_tls_store_unref(store);
	return ret;
}

static int seal_web(struct gp_snapshot *snapshot)
{
	struct gp_buf text;
	int ret;

	gp_buf_init(&text, WEB_MAX);
	ret = gp_web_settings_write(snapshot->conf, &text);
	if (ret == GP_OK)
		ret = gp_memory_seal("gatepost-web", text.data, text.len,
				     &snapshot->fds[GP_SEALED_WEB]);
	gp_buf_deinit(&text);
	return ret;
}

static int seal_trust(struct gp_snapshot *snapshot, struct gp_buf *errors)
{
	const char *path = snapshot->conf->policy.mta_sts_ca;
	struct gp_tls_trust *trust = NULL;
	struct gp_buf pem;
	int ret = gp_snapshot_read_file(snapshot, path, &pem, errors);

	if (ret == GP_OK)
		ret = gp_tls_trust_new(gp_str_from(pem.data, pem.len), &trust);
	if (ret == GP_E_CONF && !errors->len)
		gp_buf_appendf(errors, "%s: the file contains no certificate in PEM format\n",
			       path);
	if (ret == GP_OK)
		ret = gp_memory_seal("gatepost-trust", pem.data, pem.len,
				     &snapshot->fds[GP_SEALED_TRUST]);
	gp_tls_trust_free(trust);
	gp_buf_deinit(&pem);
	return ret;
}

/* Of the configuration the policy process gets only its own groups: no password, no key. */
static int seal_policy(struct gp_snapshot *snapshot, struct gp_buf *errors)
{
	char *text;
	int ret;

	if (!gp_policy_is_wanted(snapshot->conf))
		return GP_OK;
	text = gp_conf_effective_part(snapshot->conf, gp_policy_groups);
	ret = text ? gp_memory_seal("gatepost-policy", text, strlen(text),
				    &snapshot->fds[GP_SEALED_POLICY])
		   : GP_E_NOMEM;
	free(text);
	return ret == GP_OK ? seal_trust(snapshot, errors) : ret;
}

static int seal(struct gp_snapshot *snapshot, const struct gp_buf *pack)
{
	char *text = gp_conf_effective_text(snapshot->conf);
	int ret = text ? gp_memory_seal("gatepost-conf", text, strlen(text),
					&snapshot->fds[GP_SEALED_CONFIGURATION])
		       : GP_E_NOMEM;

	free(text);
	if (ret == GP_OK)
		ret = gp_memory_seal("gatepost-certificates", pack->data, pack->len,
				     &snapshot->fds[GP_SEALED_CERTIFICATES]);
	return ret == GP_OK ? seal_web(snapshot) : ret;
}

int gp_snapshot_load(const char *path, const struct gp_snapshot *old,
		     struct gp_snapshot **snapshot_out, struct gp_buf *errors,
		     struct gp_buf *warnings)
{
	struct gp_snapshot *snapshot = calloc(1, sizeof(*snapshot));
	struct gp_buf pack = { .data = NULL };
	int ret, certificates;

	if (!snapshot)
		return GP_E_NOMEM;
	for (size_t i = 0; i < GP_SEALED_COUNT; i++)
		snapshot->fds[i] = -1;
	ret = remember_file(snapshot, path);
	if (ret == GP_OK)
		ret = gp_conf_load_file(path, &snapshot->conf, errors);
	if (ret != GP_OK)
		goto out;
	ret = gp_conf_visit_files(snapshot->conf, path, remember_file, snapshot);
	certificates = gp_snapshot_read_certificates(snapshot, old, &pack, errors, warnings);
	if (ret == GP_OK)
		ret = complete_hostname(snapshot->conf);
	if (ret == GP_OK)
		ret = complete_listeners(snapshot, errors);
	if (ret == GP_OK)
		ret = read_client_authorities(snapshot, errors);
	if (ret == GP_OK)
		ret = read_ticket_keys(snapshot, errors);
	if (ret == GP_OK)
		ret = certificates;
	if (ret == GP_OK)
		ret = rehearse(snapshot, &pack, errors);
	if (ret == GP_OK)
		ret = seal(snapshot, &pack);
	if (ret == GP_OK)
		ret = seal_policy(snapshot, errors);
out:
	gp_buf_deinit(&pack);
	if (ret != GP_OK) {
		if (!errors->len)
			gp_buf_appendf(errors, "%s: %s\n", path, gp_err_name(ret));
		gp_snapshot_free(snapshot);
		return GP_E_CONF;
	}
	*snapshot_out = snapshot;
	return GP_OK;
}

void gp_snapshot_free(struct gp_snapshot *snapshot)
{
	if (!snapshot)
		return;
	for (size_t i = 0; i < snapshot->file_count; i++)
		free(snapshot->files[i]);
	free(snapshot->files);
	free(snapshot->states);
	gp_snapshot_free_certificates(snapshot);
	explicit_bzero(snapshot->ticket_keys, sizeof(snapshot->ticket_keys));
	for (size_t i = 0; i < sizeof(snapshot->fds) / sizeof(*snapshot->fds); i++) {
		if (snapshot->fds[i] >= 0)
			close(snapshot->fds[i]);
	}
	gp_conf_free(snapshot->conf);
	free(snapshot);
}
