#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>

#include "base/result.h"

// The bytes of a return roster: docs/protocol/return_roster.md. Pure functions.
namespace muster::session {

inline constexpr std::uint32_t kRosterFormat = 1;
inline constexpr std::size_t kRosterHeaderBytes = 32;
inline constexpr std::size_t kRosterRecordBytes = 13;  // without its names

// The hash64() of a registration's id.
using RosterName = std::uint64_t;
// It spreads already as well as any hash of it. There may be millions, one for each registration,
// so they are in no order; records name them upwards.
struct RosterNameHash {
    [[nodiscard]] std::size_t operator()(RosterName name) const {
        return name;
    }
};
using RosterNames = std::unordered_set<RosterName, RosterNameHash>;

// First bytes of the file, which is begun by replacing it and therefore never has them torn.
struct RosterHeader {
    std::uint64_t boot = 0;  // hash64() of the boot id of the machine
    std::uint64_t incarnation = 0;

    [[nodiscard]] bool operator==(const RosterHeader&) const = default;
};

struct RosterScan {
    RosterHeader header;
    RosterNames names;    // whom the file names at its end
    bool sealed = false;  // it ends in a seal
};

[[nodiscard]] std::string encode_roster_header(const RosterHeader& header);

// Appends a record: `came` are named from here on, `left` no longer.
// Requires: the file begins with `header`; less than 2^32 of each.
void append_roster_changes(std::string& out, const RosterHeader& header, const RosterNames& came,
                           const RosterNames& left);

// Appends the word that the `count` names so far are all there are. Requires: as above.
void append_roster_seal(std::string& out, const RosterHeader& header, std::size_t count);

// Errors: corrupt (anything but a header and whole records), refused (format of a newer release).
[[nodiscard]] Result<RosterScan> decode_roster(std::string_view bytes);

}  // namespace muster::session
