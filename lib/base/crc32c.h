/* SPDX-License-Identifier: MIT */
#ifndef GP_BASE_CRC32C_H
#define GP_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32C (Castagnoli) of `len` bytes, as PROXY v2 wants it. */
uint32_t gp_crc32c(const uint8_t *data, size_t len);

#endif
