/* SPDX-License-Identifier: MIT */
/* The example configuration is read, and is what RFC 8314 wants a site to have. */
#include "base/err.h"
#include "conf/conf.h"
#include "table.h"

static struct gp_conf *conf;

/* The position of the first listener with that role, or the number of listeners. */
static size_t position_of(int role)
{
	size_t i = 0;

	while (i < conf->listener_count && conf->listeners[i].role != role)
		i++;
	return i;
}

static void implicit_tls_comes_first(void **state)
{
	(void)state;
	assert_true(position_of(GP_ROLE_IMAPS) < position_of(GP_ROLE_IMAP));
	assert_true(position_of(GP_ROLE_POP3S) < position_of(GP_ROLE_POP3));
}

static void starttls_is_there_for_old_clients(void **state)
{
	(void)state;
	assert_true(position_of(GP_ROLE_IMAP) < conf->listener_count);
	assert_true(position_of(GP_ROLE_POP3) < conf->listener_count);
}

static void mail_is_submitted_on_both_ports(void **state)
{
	(void)state;
	assert_true(position_of(GP_ROLE_SUBMISSIONS) < position_of(GP_ROLE_SUBMISSION));
	assert_true(position_of(GP_ROLE_SUBMISSION) < conf->listener_count);
}

static void ports_are_the_registered_ones(void **state)
{
	static const unsigned ports[] = {
		[GP_ROLE_IMAPS] = 993,        [GP_ROLE_IMAP] = 143,
		[GP_ROLE_POP3S] = 995,        [GP_ROLE_POP3] = 110,
		[GP_ROLE_SUBMISSIONS] = 465,  [GP_ROLE_SUBMISSION] = 587,
		[GP_ROLE_SMTP] = 25,          [GP_ROLE_SIEVE] = 4190,
		[GP_ROLE_HTTPS] = 443,        [GP_ROLE_XMPPS_CLIENT] = 5223,
		[GP_ROLE_XMPP_CLIENT] = 5222, [GP_ROLE_XMPPS_SERVER] = 5270,
		[GP_ROLE_XMPP_SERVER] = 5269
	};

	(void)state;
	for (size_t i = 0; i < conf->listener_count; i++)
		assert_int_equal(conf->listeners[i].address.endpoint.port,
				 ports[conf->listeners[i].role]);
}

int main(int argc, char **argv)
{
	struct table table = { 0 };
	struct gp_buf errors;
	int ret;

	gp_buf_init(&errors, GP_CONF_ERRORS_MAX);
	if (argc < 3 || gp_conf_load_file(argv[2], &conf, &errors) != GP_OK) {
		fprintf(stderr, "%s", errors.len ? gp_buf_cstr(&errors) : "");
		return 1;
	}
	table_one(&table, "[9325-3.2-2 9325-3.2-1 8314-1-1 8314-4-3] implicit TLS comes first",
		  implicit_tls_comes_first);
	table_one(&table, "[8314-4-4] STARTTLS is there for old clients",
		  starttls_is_there_for_old_clients);
	table_one(&table, "[5068-3.2-1] mail is submitted on 465 and 587",
		  mail_is_submitted_on_both_ports);
	table_one(&table, "[8314-7-1] the ports are the registered ones",
		  ports_are_the_registered_ones);
	ret = table_run(&table);
	gp_conf_free(conf);
	return ret;
}
