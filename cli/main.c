/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli/command.h"
#include "daemon/supervisor/children.h"

const struct gp_command gp_commands[] = {
	{ "serve", "[-c FILE] [--check [--connect]] [--print-config]",
	  "run everything that the configuration asks for", gp_serve_command },
	{ "edge", "[-c FILE] [--check [--connect]] [--print-config]", "run the TLS edge only",
	  gp_serve_command },
	{ "policy",
	  "[-c FILE] | show DOMAIN [--json] [--connect] [--fresh] | list [--json] | refresh "
	  "DOMAIN | purge DOMAIN | purge --all | override DOMAIN LEVEL --until WHEN --reason TEXT "
	  "| override DOMAIN off | check-postfix [--config-directory DIR] | repair",
	  "run the policy service only, or ask the running one", gp_policy_command },
	{ "status", "[-c FILE | --socket PATH] [--json] [cleartext-users]",
	  "print the workers and counters of a running gatepost", gp_status_command },
	{ "records", "[check | csr] DOMAIN [-c FILE] [--zone | --json | --key FILE ...]",
	  "print the DNS records that a domain should publish, compare them with the DNS, or make a "
	  "certificate signing request",
	  gp_records_command },
	{ "help", "", "show this text", gp_help_command },
	{ "version", "", "show the version", gp_version_command },
	{ .name = NULL },
};

static void print_help(FILE *out)
{
	fprintf(out, "usage: gatepost COMMAND [OPTIONS]\n\n");
	for (const struct gp_command *command = gp_commands; command->name; command++) {
		if (!command->help)
			continue;
		fprintf(out, "  gatepost %s%s%s\n        %s\n", command->name,
			*command->arguments ? " " : "", command->arguments, command->help);
	}
	fprintf(out, "\nThe configuration is " GP_DEFAULT_CONF
		     " unless -c names another file.\nManuals: gatepost(1), gatepost.conf(5), "
		     "gatepost-edge(8), gatepost-policy(8), gatepost-records(8).\n");
}

int gp_usage_error(const char *command, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "gatepost %s: ", command);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, " (see gatepost help)\n");
	return EX_USAGE;
}

int gp_help_command(int argc, char **argv)
{
	(void)argc, (void)argv;
	print_help(stdout);
	return EX_OK;
}

int gp_version_command(int argc, char **argv)
{
	(void)argc, (void)argv;
	printf("gatepost %s\n", GP_VERSION);
	return EX_OK;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;
	int status;

	if (!name) {
		print_help(stderr);
		return EX_USAGE;
	}
	if (!strcmp(name, "--help") || !strcmp(name, "-h"))
		name = "help";
	if (!strcmp(name, "--version") || !strcmp(name, "-V"))
		name = "version";
	for (const struct gp_command *command = gp_commands; command->name; command++) {
		if (!strcmp(command->name, name))
			return command->run(argc - 1, argv + 1);
	}
	if (gp_children_run_role(name, argc > 2 ? argv[2] : NULL, &status))
		return status;
	fprintf(stderr, "gatepost: unknown command \"%s\" (see gatepost help)\n", name);
	return EX_USAGE;
}
