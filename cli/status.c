/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/err.h"
#include "cli/command.h"
#include "conf/conf.h"
#include "daemon/supervisor/status.h"

struct status_options {
	const char *conf;
	const char *socket;
	const char *subject;
	int json;
};

static int parse(int argc, char **argv, struct status_options *options)
{
	const struct option table[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "socket", required_argument, NULL, 's' },
		{ "json", no_argument, &options->json, 1 },
		{ 0 },
	};
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "c:s:", table, NULL)) != -1) {
		if (option == 'c')
			options->conf = optarg;
		else if (option == 's')
			options->socket = optarg;
		else if (option != 0)
			return gp_usage_error(argv[0],
					      "unknown option, or its value is missing: %s",
					      argv[optind - 1]);
	}
	if (optind < argc && !strcmp(argv[optind], "cleartext-users"))
		options->subject = argv[optind++];
	if (optind < argc)
		return gp_usage_error(argv[0], "unexpected word \"%s\"", argv[optind]);
	return EX_OK;
}

/* The socket of the gatepost with this configuration. */
static int find_socket(const struct status_options *options, char path[static GP_ADMIN_PATH_SIZE])
{
	struct gp_conf *conf;
	struct gp_buf errors;
	int ret;

	if (options->socket) {
		snprintf(path, GP_ADMIN_PATH_SIZE, "%s", options->socket);
		return EX_OK;
	}
	gp_buf_init(&errors, GP_CONF_ERRORS_MAX);
	ret = gp_conf_load_file(options->conf, &conf, &errors);
	if (ret == GP_OK) {
		gp_admin_path(conf, "control.sock", path);
		gp_conf_free(conf);
	} else {
		fwrite(errors.data, 1, errors.len, stderr);
	}
	gp_buf_deinit(&errors);
	return ret == GP_OK ? EX_OK : EX_CONFIG;
}

int gp_status_command(int argc, char **argv)
{
	struct status_options options = { .conf = GP_DEFAULT_CONF, .subject = "status" };
	char path[GP_ADMIN_PATH_SIZE], request[GP_STATUS_REQUEST_MAX];
	struct gp_buf answer;
	int ret = parse(argc, argv, &options);

	if (ret == EX_OK)
		ret = find_socket(&options, path);
	if (ret != EX_OK)
		return ret;
	snprintf(request, sizeof(request), "%s%s", options.subject, options.json ? " json" : "");
	gp_buf_init(&answer, GP_STATUS_ANSWER_MAX);
	if (gp_status_ask(path, request, &answer) != GP_OK) {
		fprintf(stderr, "gatepost status: %s: %s (%s)\n", path, strerror(errno),
			gp_admin_hint(errno));
		ret = EX_UNAVAILABLE;
	} else if (gp_str_starts_nocase(gp_str_from(answer.data, answer.len), GP_ADMIN_REFUSED)) {
		fprintf(stderr, "gatepost status: %s", gp_buf_cstr(&answer));
		ret = EX_NOPERM;
	} else {
		fwrite(answer.data, 1, answer.len, stdout);
	}
	gp_buf_deinit(&answer);
	return ret;
}
