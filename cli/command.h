/* SPDX-License-Identifier: MIT */
#ifndef GP_CLI_COMMAND_H
#define GP_CLI_COMMAND_H

/* A subcommand. `run` gets its own words, argv[0] being its name, and returns an exit status of
 * sysexits.h. */
struct gp_command {
	const char *name;
	const char *arguments; /* for the help text */
	const char *help;      /* one line; NULL: not for people */
	int (*run)(int argc, char **argv);
};

extern const struct gp_command gp_commands[]; /* ended by one without name */

#define GP_DEFAULT_CONF "/etc/gatepost/gatepost.conf"

int gp_records_command(int argc, char **argv);
int gp_serve_command(int argc, char **argv);
int gp_policy_command(int argc, char **argv);
int gp_status_command(int argc, char **argv);
int gp_help_command(int argc, char **argv);
int gp_version_command(int argc, char **argv);

/* Say what is wrong with the words, and how to get help; returns EX_USAGE. */
int gp_usage_error(const char *command, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
