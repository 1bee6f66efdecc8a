/* SPDX-License-Identifier: MIT */
#include "base/crc32c.h"

uint32_t gp_crc32c(const uint8_t *data, size_t len)
{
	const uint32_t reflected_polynomial = 0x82f63b78;
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < len; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? reflected_polynomial : 0);
	}
	return ~crc;
}
