/* SPDX-License-Identifier: MIT */
#ifndef GP_CONF_TREE_H
#define GP_CONF_TREE_H

#include <libconfig.h>

/* Keeps libconfig's header out of conf.h. */
struct gp_conf_tree {
	config_t config;
};

#endif
