/* SPDX-License-Identifier: MIT */
#include "cli/policy_check_postfix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/endpoint.h"
#include "base/err.h"
#include "dns/stub.h"
#include "policy/postfix_check.h"

enum { NOTHING_WANTING, SOMETHING_WANTING, CANNOT_ASK };
enum { WORDS_MAX = 24, OUTPUT_MAX = 64 * 1024, PATH_SIZE = 4096, LINE_SIZE = 1024 };

/* ---- postconf ---- */

static void become_postconf(const char *const *words, int out)
{
	dup2(out, STDOUT_FILENO);
	execvp("postconf", (char *const *)(uintptr_t)words);
	_exit(127);
}

static void read_all(int fd, struct gp_buf *out)
{
	char data[4096];
	ssize_t n;

	while ((n = read(fd, data, sizeof(data))) > 0 &&
	       gp_buf_append(out, data, (size_t)n) == GP_OK)
		;
}

/* Run it with these words, ended by NULL, and take its output. GP_OK or GP_E_IO. */
static int postconf(const char *const *words, struct gp_buf *out)
{
	int pipe_fds[2], status = -1;
	pid_t child;

	if (pipe(pipe_fds) < 0)
		return GP_E_IO;
	child = fork();
	if (child == 0)
		become_postconf(words, pipe_fds[1]);
	close(pipe_fds[1]);
	read_all(pipe_fds[0], out);
	close(pipe_fds[0]);
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
		return GP_E_IO;
	return gp_buf_cstr(out) ? GP_OK : GP_E_NOMEM;
}

/* ---- parameters ---- */

struct parameter {
	const char *name;
	size_t offset; /* in struct gp_postfix_setup */
};

#define PARAMETER(name, member)                                 \
	{                                                       \
		name, offsetof(struct gp_postfix_setup, member) \
	}

static const struct parameter parameters[] = {
	PARAMETER("mail_version", mail_version),
	PARAMETER("smtp_dns_support_level", dns_support_level),
	PARAMETER("smtp_host_lookup", host_lookup),
	PARAMETER("smtp_tls_security_level", security_level),
	PARAMETER("smtp_tls_policy_maps", policy_maps),
	PARAMETER("smtp_tls_CAfile", ca_file),
	PARAMETER("smtp_tls_CApath", ca_path),
	PARAMETER("smtp_tls_dane_insecure_mx_policy", dane_insecure_mx),
	PARAMETER("queue_directory", queue_directory),
};

enum { PARAMETERS = sizeof(parameters) / sizeof(*parameters) };

static void set_parameter(struct gp_postfix_setup *setup, char *line)
{
	char *equals = strstr(line, " =");
	const char *value;

	if (!equals)
		return;
	*equals = '\0';
	value = equals + 2 + (equals[2] == ' ');
	for (size_t i = 0; i < PARAMETERS; i++) {
		if (!strcmp(parameters[i].name, line))
			memcpy((char *)setup + parameters[i].offset, &value, sizeof(value));
	}
}

/* `text` is cut up, and the values stay in it. -x: what other parameters stand for. */
static int read_parameters(const char *directory, struct gp_postfix_setup *setup,
			   struct gp_buf *text)
{
	const char *words[WORDS_MAX] = { "postconf", "-x" };
	size_t count = 2;
	static const char empty[] = "";
	char *rest, *line;

	if (directory) {
		words[count++] = "-c";
		words[count++] = directory;
	}
	for (size_t i = 0; i < PARAMETERS; i++) {
		words[count++] = parameters[i].name;
		memcpy((char *)setup + parameters[i].offset, &(const char *){ empty },
		       sizeof(const char *));
	}
	if (postconf(words, text) != GP_OK)
		return GP_E_IO;
	rest = (char *)text->data;
	while ((line = strsep(&rest, "\n")) != NULL)
		set_parameter(setup, line);
	return GP_OK;
}

/* What postconf says of one thing, cut to `size`; "" when it says nothing. */
static void ask_postconf(const char *directory, const char *option, const char *what, char *out,
			 size_t size)
{
	const char *words[WORDS_MAX] = { "postconf", option };
	size_t count = 2;
	struct gp_buf text;

	if (directory) {
		words[count++] = "-c";
		words[count++] = directory;
	}
	words[count] = what;
	*out = '\0';
	gp_buf_init(&text, OUTPUT_MAX);
	if (postconf(words, &text) == GP_OK)
		gp_str_copy(gp_str_of(gp_buf_cstr(&text)), out, size);
	gp_buf_deinit(&text);
}

/* The fifth column of the service smtp in master.cf; "-" is Postfix's default, which was yes before
 * compatibility level 1 (Postfix 3.0). */
static bool is_chrooted(const char *directory)
{
	char line[LINE_SIZE], level[LINE_SIZE], chroot[LINE_SIZE] = "";

	ask_postconf(directory, "-M", "smtp/unix", line, sizeof(line));
	sscanf(line, "%*s %*s %*s %*s %1023s", chroot);
	if (strcmp(chroot, "-") != 0)
		return !strcmp(chroot, "y");
	ask_postconf(directory, "-hx", "compatibility_level", level, sizeof(level));
	return atoi(level) < 1;
}

/* ---- the resolver that smtp sees ---- */

static bool is_local(const char *address)
{
	struct gp_endpoint server;

	return gp_endpoint_parse_ip(address, &server) == GP_OK && gp_endpoint_is_loopback(&server);
}

/* The first one; but one on another machine, wherever it stands, is asked when the others are silent. */
static void find_resolver(const char *path, char out[static GP_IP_TEXT_SIZE])
{
	FILE *file = fopen(path, "re");
	char line[LINE_SIZE], address[GP_IP_TEXT_SIZE];

	*out = '\0';
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, " nameserver %45s", address) == 1 &&
		    (!*out || (is_local(out) && !is_local(address))))
			strcpy(out, address);
	}
	if (file)
		fclose(file);
}

static void judge_resolver(const struct gp_conf *conf, struct gp_postfix_setup *setup)
{
	struct gp_endpoint server;

	setup->resolver_local = is_local(setup->resolver);
	setup->resolver_validates = setup->resolver_local &&
				    gp_endpoint_parse_ip(setup->resolver, &server) == GP_OK &&
				    gp_stub_vouches(&server, conf->dns.self_test);
}

/* ---- all of it ---- */

static void join_addresses(const struct gp_conf *conf, struct gp_buf *out)
{
	for (size_t i = 0; i < conf->policy.addresses.count; i++)
		gp_buf_appendf(out, "%s%s", i ? " " : "", conf->policy.addresses.items[i]);
}

static int report(const struct gp_postfix_setup *setup)
{
	struct gp_buf text;
	unsigned count;

	gp_buf_init(&text, OUTPUT_MAX);
	count = gp_postfix_check(setup, &text);
	fwrite(text.data, 1, text.len, stdout);
	gp_buf_deinit(&text);
	if (count)
		return SOMETHING_WANTING;
	printf("Postfix %s follows the answers of the policy service\n", setup->mail_version);
	return NOTHING_WANTING;
}

int gp_policy_check_postfix(const struct gp_conf *conf, const char *directory)
{
	struct gp_postfix_setup setup = { .chrooted = is_chrooted(directory) };
	char resolv_conf[PATH_SIZE], resolver[GP_IP_TEXT_SIZE];
	struct gp_buf text, addresses;
	int code = CANNOT_ASK;

	gp_buf_init(&text, OUTPUT_MAX);
	gp_buf_init(&addresses, OUTPUT_MAX);
	if (read_parameters(directory, &setup, &text) != GP_OK) {
		fprintf(stderr, "gatepost policy: postconf(1) cannot be run, or cannot read the "
				"configuration of Postfix\n");
		goto out;
	}
	join_addresses(conf, &addresses);
	setup.addresses = addresses.len ? gp_buf_cstr(&addresses) : "127.0.0.1:8642";
	snprintf(resolv_conf, sizeof(resolv_conf), "%s/etc/resolv.conf",
		 setup.chrooted ? setup.queue_directory : "");
	find_resolver(resolv_conf, resolver);
	setup.resolv_conf = resolv_conf;
	setup.resolver = resolver;
	judge_resolver(conf, &setup);
	setup.ca_file_there = *setup.ca_file && access(setup.ca_file, R_OK) == 0;
	setup.dane_insecure_mx_wanted = conf->policy.dane_insecure_mx;
	setup.stated_level = gp_conf_smtp_level_name(conf->policy.smtp_tls_security_level);
	code = report(&setup);
out:
	gp_buf_deinit(&text);
	gp_buf_deinit(&addresses);
	return code;
}
