/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_EDGE_EDGE_LISTENER_H
#define GP_DAEMON_EDGE_EDGE_LISTENER_H

#include <sys/queue.h>

#include "conf/conf.h"
#include "identity/account.h"
#include "io/deadline.h"
#include "io/socket.h"
#include "proto/edge.h"
#include "tls/client.h"
#include "tls/server.h"

/* Where a backend listens. */
struct gp_backend_place {
	struct gp_socket_address address;
	char name[GP_ENDPOINT_TEXT_SIZE + 64]; /* as configured */
};

/* One configured listener as a worker uses it. Counted: sessions keep the one they came through,
 * so a reload can put another in its place. */
struct gp_edge_listener {
	LIST_ENTRY(gp_edge_listener) link; /* of all that still have users */
	unsigned references;
	char name[80]; /* "imaps@[::]:993" */
	const struct gp_edge_ops *ops;
	struct gp_edge_config engine_config;
	struct gp_smtp_edge_config smtp;
	char *smtp_hostname;
	char *smtp_extensions; /* as reported last; replaced, so engines ask for it anew */
	struct gp_conf_networks bare_newline_from;
	struct gp_conf_networks starttls_required_from;
	struct gp_xmpp_edge_config xmpp;
	char **xmpp_domains; /* what it points to */
	struct gp_tls_server *tls;
	const struct gp_account_rules *accounts; /* whose client certificates are; NULL: none */
	struct gp_account_rules account_rules;
	struct gp_external_login external;
	char *external_user;
	char *external_password;
	struct gp_conf_networks proxy_from;
	struct gp_backend_place backend;
	struct gp_backend_place trusted; /* for clients that are proved (XMPP) */
	enum gp_facts facts;
	struct gp_tls_client *backend_tls;   /* NULL: in cleartext */
	struct gp_deadline_queue connecting; /* sessions that wait for the backend */
	uint64_t setup_reported_ms;          /* 0: never */
};

LIST_HEAD(gp_edge_listener_list, gp_edge_listener);

/* `tls_store` holds the certificates. On an error `error_out` holds a sentence. */
int gp_edge_listener_new(const struct gp_conf *conf, const struct gp_conf_listener *listener,
			 struct gp_tls_store *tls_store, struct gp_edge_listener **listener_out,
			 char *error_out, size_t error_size);
void gp_edge_listener_unref(struct gp_edge_listener *listener);

bool gp_edge_listener_trusts_proxy(const struct gp_edge_listener *listener,
				   const struct gp_endpoint *peer);
bool gp_edge_listener_demands_tls(const struct gp_edge_listener *listener,
				  const struct gp_endpoint *client);
bool gp_edge_listener_forgives_newlines(const struct gp_edge_listener *listener,
					const struct gp_endpoint *client);

/* What the engines of smtp roles have to know; the hostname stays the configuration's. */
struct gp_smtp_edge_config gp_edge_smtp_config(const struct gp_conf *conf,
					       const struct gp_conf_listener *listener);

/* The backend's extensions, for the next client in cleartext. */
void gp_edge_listener_learn(struct gp_edge_listener *listener, const char *extensions);

/* The protocol engine of a role. */
const struct gp_edge_ops *gp_edge_ops_of(int role);

/* Address of a backend; its name is resolved already. */
int gp_backend_socket_address(const struct gp_conf_address *address, struct gp_socket_address *out);

#endif
