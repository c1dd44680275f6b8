#pragma once

#include <string>

#include "apps/demo/fleet.h"
#include "apps/demo/sightings.h"

namespace muster::demo {

// The lists as plain text.
[[nodiscard]] std::string lists_text(const Sightings& sightings);

// The live view as one screen of at most `rows` lines, with ANSI colours.
[[nodiscard]] std::string screen_text(const Sightings& sightings, const Fleet& fleet,
                                      std::size_t rows);

// "12:03:04 + stock-2 at 127.0.0.1:4711, version 2  (812 us after its start or kill)".
[[nodiscard]] std::string change_text(const Change& change);

}  // namespace muster::demo
