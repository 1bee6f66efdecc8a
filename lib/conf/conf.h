/* SPDX-License-Identifier: MIT */
#ifndef GP_CONF_CONF_H
#define GP_CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/endpoint.h"
#include "base/log.h"
#include "proto/role.h"

/* The configuration: libconfig's grammar, read into plain structs by the rows of schema.c.
 * All texts belong to the gp_conf and live as long as it. */

enum gp_backend_tls { GP_BACKEND_TLS_OFF, GP_BACKEND_TLS_VERIFY };
enum gp_conf_requiretls {
	GP_CONF_REQUIRETLS_OFF,
	GP_CONF_REQUIRETLS_PASS,
	GP_CONF_REQUIRETLS_HEADER,
	GP_CONF_REQUIRETLS_FINAL
};
enum gp_conf_bare_newline { GP_CONF_BARE_NEWLINE_NORMALIZE, GP_CONF_BARE_NEWLINE_REJECT };
enum gp_conf_s2s_auth {
	GP_CONF_S2S_AUTH_DIALBACK,
	GP_CONF_S2S_AUTH_EXTERNAL,
	GP_CONF_S2S_AUTH_REQUIRE
};
enum gp_conf_login {
	GP_CONF_LOGIN_NONE,
	GP_CONF_LOGIN_MASTER_USER,
	GP_CONF_LOGIN_PROXY_V2_CN,
	GP_CONF_LOGIN_XCLIENT,
	GP_CONF_LOGIN_TRUSTED_ADDRESS
};
enum gp_conf_sts { GP_CONF_STS_OFF, GP_CONF_STS_NONE, GP_CONF_STS_TESTING, GP_CONF_STS_ENFORCE };
enum gp_unknown_sni { GP_UNKNOWN_SNI_DEFAULT, GP_UNKNOWN_SNI_REFUSE };

/* "192.0.2.1:993", "[2001:db8::1]:993", "host.example:993" or "unix:/path". */
struct gp_conf_address {
	const char *text;
	struct gp_endpoint endpoint; /* family NONE: `host` still has to be resolved */
	char host[256];
	const char *path; /* unix socket, or NULL */
};

struct gp_conf_backend {
	struct gp_conf_address address;
	struct gp_conf_address trusted_address; /* text NULL: none */
	int facts;                              /* enum gp_facts */
	int tls;                                /* enum gp_backend_tls */
	const char *tls_name;
	const char *tls_ca;
	const char *tls_ca_pem; /* contents of tls_ca, in an effective configuration */
	uint64_t connect_time_ms;
	int login; /* enum gp_conf_login */
	const char *login_user;
	const char *login_password_file;
	const char *login_password; /* its first line, in an effective configuration */
};

struct gp_conf_networks {
	struct gp_network *items;
	size_t count;
};

/* An array of texts, ended by NULL. */
struct gp_conf_texts {
	const char **items;
	size_t count;
};

/* A list within a group. */
struct gp_conf_list {
	void *items;
	size_t count;
};

struct gp_conf_account_key {
	const char *spki; /* SHA-256 in hexadecimal */
	const char *account;
};

/* Which client certificates are whose. */
struct gp_conf_client_certificates {
	const char *name;
	const char *ca;
	const char *ca_pem;       /* contents of ca, in an effective configuration */
	int addresses;            /* enum gp_account_names */
	int account;              /* enum gp_account_form */
	struct gp_conf_list keys; /* of struct gp_conf_account_key */
};

struct gp_conf_listener {
	int role; /* enum gp_role */
	struct gp_conf_address address;
	const char *certificate;
	int unknown_sni; /* enum gp_unknown_sni */
	int requiretls;  /* enum gp_conf_requiretls */
	bool relay_follows;
	int bare_newline; /* enum gp_conf_bare_newline */
	struct gp_conf_networks bare_newline_from;
	bool starttls_required;
	struct gp_conf_networks starttls_required_from;
	struct gp_conf_texts domains;
	int s2s_auth; /* enum gp_conf_s2s_auth */
	const char *s2s_ca;
	const char *s2s_ca_pem;          /* contents of s2s_ca, in an effective configuration */
	const char *client_certificates; /* name of a block; NULL: none are asked for */
	bool preauth;
	struct gp_conf_networks proxy_from;
	struct gp_conf_backend backend;
};

/* One certificate, or a directory of them. */
struct gp_conf_certificate {
	const char *name;
	const char *chain;
	const char *key;
	const char *ocsp;
	const char *next_key;
	const char *directory;
};

/* What the DNS must say of some domains. Names are as the operator wrote them, with U-labels
 * perhaps: domain.h has them as the DNS does. */
struct gp_conf_domain {
	struct gp_conf_texts names;
	const char *mail_host; /* this and the next ones: NULL is their default, see domain.h */
	struct gp_conf_texts mx;
	struct gp_conf_texts other_mx;
	const char *xmpp_host;
	const char *web_host;
	struct gp_conf_texts elsewhere;
	int mta_sts; /* enum gp_conf_sts */
	uint64_t mta_sts_max_age_ms;
	struct gp_conf_texts tlsrpt_rua;
	bool is_signed;
};

struct gp_conf_server {
	const char *user;
	bool separate_users;
	const char *hostname;
	uint64_t workers;
	const char *run_dir;
	const char *admin_group; /* NULL: root's */
	const char *state_dir;
	const char *ticket_keys;
	uint64_t drain_time_ms;
};

struct gp_conf_log {
	int level;  /* enum gp_log_level */
	int format; /* enum gp_log_format */
	int target; /* enum gp_log_target */
};

struct gp_conf_web {
	struct gp_conf_address address;         /* text NULL: no pages */
	struct gp_conf_address metrics_address; /* text NULL: no metrics */
	struct gp_conf_texts hosts;
};

enum gp_conf_dnssec { GP_CONF_DNSSEC_ON, GP_CONF_DNSSEC_OFF };
enum gp_conf_combine { GP_CONF_DANE_FIRST, GP_CONF_STRICT_BOTH };
/* In the words of Postfix, but for the first. */
enum gp_conf_smtp_level {
	GP_CONF_SMTP_UNKNOWN,
	GP_CONF_SMTP_NONE,
	GP_CONF_SMTP_MAY,
	GP_CONF_SMTP_ENCRYPT,
	GP_CONF_SMTP_DANE,
	GP_CONF_SMTP_DANE_ONLY,
	GP_CONF_SMTP_FINGERPRINT,
	GP_CONF_SMTP_VERIFY,
	GP_CONF_SMTP_SECURE
};
/* "may" for GP_CONF_SMTP_MAY. */
const char *gp_conf_smtp_level_name(int level);

struct gp_conf_dns {
	int dnssec; /* enum gp_conf_dnssec */
	const char *trust_anchors;
	const char *self_test;
	struct gp_conf_texts forwarders;
	const char *unbound_conf;
};

struct gp_conf_policy {
	struct gp_conf_texts addresses; /* none: no policy service */
	const char *socket_mode;
	const char *socket_group;
	int combine;                 /* enum gp_conf_combine */
	int smtp_tls_security_level; /* enum gp_conf_smtp_level */
	bool dane_mandatory;
	bool dane_insecure_mx;
	uint64_t answer_time_ms;
	const char *mta_sts_ca;
	struct gp_conf_networks mta_sts_networks;
	uint64_t idle_time_ms;
	uint64_t domains;
};

struct gp_conf_limits {
	uint64_t sessions;
	uint64_t sessions_per_source;
	uint64_t source_prefix_ipv4;
	uint64_t source_prefix_ipv6;
	uint64_t handshakes;
	uint64_t expensive_handshakes;
	uint64_t handshake_time_ms;
	uint64_t login_time_ms;
	uint64_t idle_time_ms;
	uint64_t command_time_ms;
	uint64_t line_size;
	uint64_t literal_size;
};

struct gp_conf {
	struct gp_conf_server server;
	struct gp_conf_log log;
	struct gp_conf_limits limits;
	struct gp_conf_web web;
	struct gp_conf_dns dns;
	struct gp_conf_policy policy;
	struct gp_conf_certificate *certificates;
	size_t certificate_count;
	struct gp_conf_client_certificates *client_certificates;
	size_t client_certificate_count;
	struct gp_conf_listener *listeners;
	size_t listener_count;
	struct gp_conf_domain *domains;
	size_t domain_count;
	struct gp_conf_tree *tree; /* libconfig's */
};

/* RFC 8461 section 3.2 */
#define GP_CONF_STS_MAX_AGE_S UINT64_C(31557600)

enum { GP_CONF_POLICY_ADDRESSES_MAX = 16 };
enum { GP_CONF_ERRORS_MAX = 64 * 1024, GP_CONF_LISTENERS_MAX = 100, GP_CONF_WORKERS_MAX = 256 };

/* Read a file, with the files that it includes. On GP_E_CONF all that is wrong stands in
 * `errors`, a line each: "file:line: sentence". */
int gp_conf_load_file(const char *path, struct gp_conf **conf_out, struct gp_buf *errors);

/* The same from text, as a worker gets it: an effective configuration needs no other file. */
int gp_conf_load_effective(const char *text, struct gp_conf **conf_out, struct gp_buf *errors);

void gp_conf_free(struct gp_conf *conf);

/* Call `visit` for `path`, from which `conf` was loaded, and for each file that it includes, until
 * it returns something else than GP_OK, which is returned. A file may be visited twice. */
int gp_conf_visit_files(const struct gp_conf *conf, const char *path,
			int (*visit)(void *arg, const char *path), void *arg);

/* Add "file:line: sentence" to `errors`, with the line of backend.address of a listener. */
void gp_conf_complain_of_backend(const struct gp_conf *conf, size_t listener, struct gp_buf *errors,
				 const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Set backend.address of a listener to a resolved one and keep the name for TLS; put the
 * contents of its CA file and its password in; the same for the CA of other XMPP servers and of a
 * block of client certificates; name the machine. All change what gp_conf_effective_text writes. */
int gp_conf_set_backend_address(struct gp_conf *conf, size_t listener,
				const struct gp_endpoint *endpoint);
int gp_conf_set_backend_ca(struct gp_conf *conf, size_t listener, const char *pem);
int gp_conf_set_backend_password(struct gp_conf *conf, size_t listener, const char *password);
int gp_conf_set_s2s_ca(struct gp_conf *conf, size_t listener, const char *pem);
int gp_conf_set_client_ca(struct gp_conf *conf, size_t block, const char *pem);
int gp_conf_set_hostname(struct gp_conf *conf, const char *hostname);

/* The block that the listener names, or NULL. */
const struct gp_conf_client_certificates *
gp_conf_client_certificates_of(const struct gp_conf *conf, const struct gp_conf_listener *listener);

/* The configuration as one text without includes. The caller frees it; NULL without memory. */
char *gp_conf_effective_text(const struct gp_conf *conf);

/* The same of some groups only (names, ended by NULL), for a process that need not know the rest.
 * The caller frees it; NULL without memory. */
char *gp_conf_effective_part(const struct gp_conf *conf, const char *const *groups);

/* All rows with defaults and explanations, as a commented configuration. */
int gp_conf_print_defaults(struct gp_buf *out);

#endif
