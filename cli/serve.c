/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sysexits.h>

#include "base/err.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/command.h"
#include "conf/check_domains.h"
#include "conf/check_facts.h"
#include "daemon/edge/backend_check.h"
#include "daemon/process/memory.h"
#include "daemon/supervisor/served_file.h"
#include "daemon/supervisor/snapshot.h"
#include "daemon/supervisor/supervisor.h"
#include "publish/advice.h"

struct serve_options {
	const char *path;
	int check;
	int connect;
	int print_config;
	unsigned parts; /* enum gp_part */
};

static int parse(int argc, char **argv, struct serve_options *options)
{
	const struct option table[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check", no_argument, &options->check, 1 },
		{ "connect", no_argument, &options->connect, 1 },
		{ "print-config", no_argument, &options->print_config, 1 },
		{ 0 },
	};
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "c:", table, NULL)) != -1) {
		if (option == 'c')
			options->path = optarg;
		else if (option != 0)
			return gp_usage_error(argv[0],
					      "unknown option, or its value is missing: %s",
					      argv[optind - 1]);
	}
	if (optind < argc)
		return gp_usage_error(argv[0], "unexpected word \"%s\"", argv[optind]);
	if (options->connect && !options->check)
		return gp_usage_error(argv[0], "--connect needs --check");
	return EX_OK;
}

static int print_config(void)
{
	struct gp_buf text;

	gp_buf_init(&text, GP_CONF_ERRORS_MAX);
	if (gp_conf_print_defaults(&text) == GP_OK)
		fwrite(text.data, 1, text.len, stdout);
	gp_buf_deinit(&text);
	return EX_OK;
}

static void print_certificates(const struct gp_snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->certificate_count; i++) {
		const struct gp_snapshot_certificate *certificate = &snapshot->certificates[i];

		printf("certificate \"%s\" covers: %s\n", certificate->name,
		       *certificate->info.names ? certificate->info.names : "no DNS name");
	}
}

static void advise_hosting(const struct gp_snapshot *snapshot, struct gp_buf *advice)
{
	struct gp_certpack *pack = NULL;
	void *map = NULL;
	size_t len;

	if (gp_memory_map(snapshot->fds[GP_SEALED_CERTIFICATES], GP_MEMORY_SEALED, &map, &len) ==
		    GP_OK &&
	    gp_certpack_open(map, len, &pack) == GP_OK)
		gp_publish_advise_hosting(snapshot->conf, pack, advice);
	gp_certpack_close(pack);
	if (map)
		munmap(map, len);
}

static void advise_retired(const struct gp_conf *conf, struct gp_buf *advice)
{
	struct gp_served_list served;

	if (gp_served_file_read(conf, &served) == GP_OK)
		gp_publish_advise_retired(conf, &served, (int64_t)(gp_time_utc_ms() / 1000),
					  advice);
	gp_served_deinit(&served);
}

/* No reason to call it wrong. */
static void print_advice(const struct gp_snapshot *snapshot)
{
	struct gp_buf advice;

	gp_buf_init(&advice, GP_CONF_ERRORS_MAX);
	gp_conf_advise_facts(snapshot->conf, &advice);
	gp_conf_advise_domains(snapshot->conf, &advice);
	advise_hosting(snapshot, &advice);
	advise_retired(snapshot->conf, &advice);
	for (struct gp_str rest = gp_str_from(advice.data, advice.len); rest.len;) {
		struct gp_str line = gp_str_split(&rest, '\n');

		fprintf(stderr, "warning: %.*s\n", (int)line.len, line.p);
	}
	gp_buf_deinit(&advice);
}

/* Nothing is served with them, so only an operator who asks is told of a bad one. */
static void check_next_keys(struct gp_snapshot *snapshot, struct gp_buf *errors)
{
	struct gp_publish_next_key *keys;

	gp_snapshot_read_next_keys(snapshot, &keys, errors);
	free(keys);
}

static int check(const struct serve_options *options)
{
	struct gp_snapshot *snapshot;
	struct gp_buf errors, warnings;
	int ret = EX_OK;

	gp_buf_init(&errors, GP_CONF_ERRORS_MAX);
	gp_buf_init(&warnings, GP_CONF_ERRORS_MAX);
	if (gp_snapshot_load(options->path, NULL, &snapshot, &errors, &warnings) != GP_OK) {
		fprintf(stderr, "%s", gp_buf_cstr(&errors));
		ret = EX_CONFIG;
	} else {
		print_certificates(snapshot);
		print_advice(snapshot);
		check_next_keys(snapshot, &warnings);
		/* it would start, but that is not what was asked */
		if (warnings.len)
			ret = EX_CONFIG;
		else
			ret = gp_supervisor_check_users(snapshot->conf, options->parts);
		if (ret == EX_OK && options->connect)
			ret = gp_probe_backends(snapshot->conf);
		if (ret == EX_OK)
			printf("%s: no errors\n", options->path);
		gp_snapshot_free(snapshot);
	}
	if (warnings.len)
		fprintf(stderr, "%s", gp_buf_cstr(&warnings));
	gp_buf_deinit(&warnings);
	gp_buf_deinit(&errors);
	return ret;
}

static unsigned parts_of(const char *command)
{
	if (!strcmp(command, "edge"))
		return GP_PART_EDGE;
	return strcmp(command, "policy") != 0 ? GP_PART_ALL : GP_PART_POLICY;
}

int gp_serve_command(int argc, char **argv)
{
	struct serve_options options = { .path = GP_DEFAULT_CONF };
	int ret = parse(argc, argv, &options);

	if (ret != EX_OK)
		return ret;
	if (options.print_config)
		return print_config();
	options.parts = parts_of(argv[0]);
	return options.check ? check(&options) : gp_supervisor_main(options.path, options.parts);
}
