#include "roles/session/roster_codec.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/hash.h"

namespace muster::session {
namespace {

constexpr std::string_view kMagic = "MUSTRET\n";
constexpr std::size_t kCrcBytes = 4;

enum class RecordType : std::uint8_t { changes = 1, seal = 2 };

std::string header_fields(const RosterHeader& header) {
    std::string bytes(kMagic);
    append_big_endian(bytes, kRosterFormat);
    append_big_endian(bytes, header.boot);
    append_big_endian(bytes, header.incarnation);
    return bytes;
}

// Records are checked together with the header, so that they fit behind no other.
std::uint32_t seed_of(const RosterHeader& header) {
    return crc32c(header_fields(header));
}

void append_record(std::string& out, const RosterHeader& header, const std::string& fields) {
    append_big_endian(out, crc32c(fields, seed_of(header)));
    out += fields;
}

std::string record_fields(RecordType type, std::size_t first, std::size_t second) {
    CHECK(first <= UINT32_MAX && second <= UINT32_MAX);
    std::string fields;
    append_big_endian(fields, static_cast<std::uint8_t>(type));
    append_big_endian(fields, static_cast<std::uint32_t>(first));
    append_big_endian(fields, static_cast<std::uint32_t>(second));
    return fields;
}

Result<RosterHeader> decode_header(std::string_view bytes) {
    if (bytes.size() < kRosterHeaderBytes || !bytes.starts_with(kMagic)) {
        return fail(Errc::corrupt, "no header");
    }
    if (read_big_endian<std::uint32_t>(bytes, 28) != crc32c(bytes.substr(0, 28))) {
        return fail(Errc::corrupt, "header does not check");
    }
    if (const auto format = read_big_endian<std::uint32_t>(bytes, 8); format != kRosterFormat) {
        return fail(Errc::refused, fmt::format("written in format {} by another release, this one "
                                               "reads format {}",
                                               format, kRosterFormat));
    }
    return RosterHeader{.boot = read_big_endian<std::uint64_t>(bytes, 12),
                        .incarnation = read_big_endian<std::uint64_t>(bytes, 20)};
}

// Takes in the record at `offset` and moves it behind.
Result<void> decode_record(std::string_view bytes, std::uint32_t seed, std::size_t& offset,
                           RosterScan& scan) {
    const std::string where = " at byte " + std::to_string(offset);
    const std::string_view rest = bytes.substr(offset);
    if (rest.size() < kRosterRecordBytes) {
        return fail(Errc::corrupt, "torn record" + where);
    }
    const auto type = read_big_endian<std::uint8_t>(rest, 4);
    const std::uint64_t first = read_big_endian<std::uint32_t>(rest, 5);
    const std::uint64_t second = read_big_endian<std::uint32_t>(rest, 9);
    const bool seal = type == static_cast<std::uint8_t>(RecordType::seal);
    const std::uint64_t names = seal ? 0 : first + second;
    if (names > (rest.size() - kRosterRecordBytes) / sizeof(RosterName)) {
        return fail(Errc::corrupt, "torn record" + where);
    }
    const std::size_t size = kRosterRecordBytes + (names * sizeof(RosterName));
    const std::string_view fields = rest.substr(kCrcBytes, size - kCrcBytes);
    if (read_big_endian<std::uint32_t>(rest, 0) != crc32c(fields, seed)) {
        return fail(Errc::corrupt, "record does not check" + where);
    }
    if (!seal && type != static_cast<std::uint8_t>(RecordType::changes)) {
        return fail(Errc::corrupt, "unknown record" + where);
    }
    if (seal && (first != scan.names.size() || second != 0)) {
        return fail(Errc::corrupt, "seal of other names" + where);
    }
    for (std::uint64_t i = 0; i < names; ++i) {
        const auto name =
            read_big_endian<RosterName>(rest, kRosterRecordBytes + (i * sizeof(RosterName)));
        i < first ? (void)scan.names.insert(name) : (void)scan.names.erase(name);
    }
    scan.sealed = seal;
    offset += size;
    return {};
}

}  // namespace

std::string encode_roster_header(const RosterHeader& header) {
    std::string bytes = header_fields(header);
    append_big_endian(bytes, crc32c(bytes));
    return bytes;
}

void append_roster_changes(std::string& out, const RosterHeader& header, const RosterNames& came,
                           const RosterNames& left) {
    std::string fields = record_fields(RecordType::changes, came.size(), left.size());
    for (const RosterNames* names : {&came, &left}) {
        std::vector<RosterName> upwards(names->begin(), names->end());
        std::ranges::sort(upwards);
        for (const RosterName name : upwards) {
            append_big_endian(fields, name);
        }
    }
    append_record(out, header, fields);
}

void append_roster_seal(std::string& out, const RosterHeader& header, std::size_t count) {
    append_record(out, header, record_fields(RecordType::seal, count, 0));
}

Result<RosterScan> decode_roster(std::string_view bytes) {
    auto header = decode_header(bytes);
    if (!header) {
        return std::unexpected(std::move(header).error());
    }
    RosterScan scan{.header = *header, .names = {}};
    const std::uint32_t seed = seed_of(*header);
    for (std::size_t offset = kRosterHeaderBytes; offset < bytes.size();) {
        MUSTER_TRY(decode_record(bytes, seed, offset, scan));
    }
    return scan;
}

}  // namespace muster::session
