/* SPDX-License-Identifier: MIT */
#include "daemon/supervisor/reload.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "conf/check_facts.h"
#include "conf/restart.h"
#include "daemon/process/event_rows.h"

/* ---- for the log ---- */

void gp_reload_log_refused(const struct gp_buf *errors)
{
	struct gp_str rest = gp_str_from(errors->data, errors->len);

	while (rest.len) {
		struct gp_str line = gp_str_split(&rest, '\n');
		char text[1024];

		gp_str_copy(line, text, sizeof(text));
		gp_event(RELOAD_REFUSED, GP_LOG_TEXT_FIELD("reason", text));
	}
}

/* The operator's word that they trust no address; serve --check --connect can try it. */
void gp_reload_warn_of_blind_backends(const struct gp_conf *conf)
{
	for (size_t i = 0; i < conf->listener_count; i++) {
		const struct gp_conf_listener *listener = &conf->listeners[i];
		char name[320];

		if (!gp_conf_backend_is_blind(listener))
			continue;
		snprintf(name, sizeof(name), "%s@%s", gp_role_name(listener->role),
			 listener->address.text);
		gp_event(BACKEND_BLIND, GP_LOG_TEXT_FIELD("listener", name),
			 GP_LOG_TEXT_FIELD("backend", listener->backend.address.text));
	}
}

/* ---- loading ---- */

int gp_reload_load(const char *path, const struct gp_snapshot *running,
		   struct gp_snapshot **fresh_out, struct gp_buf *errors)
{
	struct gp_buf warnings;
	int ret;

	gp_buf_init(&warnings, GP_CONF_ERRORS_MAX);
	ret = gp_snapshot_load(path, running, fresh_out, errors, &warnings);
	for (struct gp_str rest = gp_str_from(warnings.data, warnings.len); rest.len;) {
		char text[1024];

		gp_str_copy(gp_str_split(&rest, '\n'), text, sizeof(text));
		gp_event(CERTIFICATE_REFUSED, GP_LOG_TEXT_FIELD("reason", text));
	}
	gp_buf_deinit(&warnings);
	return ret;
}

/* The sockets as they were: those that were opened for a refused configuration are closed. */
static void keep_listening(struct gp_listening *listening, const struct gp_conf *conf)
{
	int fds[GP_CONF_LISTENERS_MAX];
	struct gp_buf errors;

	if (!listening)
		return;
	gp_buf_init(&errors, GP_CONF_ERRORS_MAX);
	gp_listening_match(listening, conf, fds, &errors);
	gp_listening_close_unused(listening);
	gp_buf_deinit(&errors);
}

/* Does the configuration change what only a restart can? */
static bool needs_restart(const char *path, const struct gp_conf *running,
			  const struct gp_conf *fresh, struct gp_buf *errors)
{
	struct gp_buf names;
	bool needs;

	gp_buf_init(&names, GP_CONF_ERRORS_MAX);
	needs = gp_conf_needs_restart(running, fresh, &names);
	if (needs)
		gp_buf_appendf(errors, "%s: %s changed: restart gatepost to apply it\n", path,
			       gp_buf_cstr(&names));
	gp_buf_deinit(&names);
	return needs;
}

int gp_reload_prepare(const char *path, const struct gp_snapshot *running,
		      struct gp_listening *listening, int *fds, struct gp_snapshot **fresh_out,
		      struct gp_buf *errors)
{
	int fresh_fds[GP_CONF_LISTENERS_MAX];
	struct gp_snapshot *fresh;
	int ret = gp_reload_load(path, running, &fresh, errors);

	if (ret != GP_OK)
		return ret;
	if (needs_restart(path, running->conf, fresh->conf, errors))
		ret = GP_E_CONF;
	else if (listening)
		ret = gp_listening_match(listening, fresh->conf, fresh_fds, errors);
	if (ret != GP_OK) {
		keep_listening(listening, running->conf);
		gp_snapshot_free(fresh);
		return ret;
	}
	if (listening)
		memcpy(fds, fresh_fds, fresh->conf->listener_count * sizeof(*fds));
	*fresh_out = fresh;
	return GP_OK;
}
