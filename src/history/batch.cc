#include "history/batch.h"

#include <algorithm>
#include <optional>

namespace muster::history {
namespace {

// What is longer is cut: a record is a line for people.
constexpr std::size_t kTextBytesMax = 1024;
constexpr std::size_t kPlacesMax = 8;
constexpr unsigned kVarintBits = 7;
constexpr std::uint64_t kMore = 0x80;

void put_varint(std::string& out, std::uint64_t value) {
    while (value >= kMore) {
        out.push_back(static_cast<char>(value | kMore));
        value >>= kVarintBits;
    }
    out.push_back(static_cast<char>(value));
}

// Small for numbers near zero, below it too.
std::uint64_t zigzag(std::uint64_t difference) {
    const bool negative = difference >> 63U != 0;
    return (difference << 1U) ^ (negative ? ~std::uint64_t{0} : 0);
}

std::uint64_t unzigzag(std::uint64_t value) {
    return (value >> 1U) ^ ((value & 1U) != 0 ? ~std::uint64_t{0} : 0);
}

void put_text(std::string& out, std::string_view text) {
    text = text.substr(0, kTextBytesMax);
    put_varint(out, text.size());
    out += text;
}

void put_service(std::string& out, const Service& service) {
    put_varint(out, service.tenant.size() + service.group.size() + service.data_id.size() + 2);
    out.append(service.tenant)
        .append("/")
        .append(service.group)
        .append("/")
        .append(service.data_id);
}

std::uint64_t as_version(std::int64_t ms) {
    return static_cast<std::uint64_t>(ms) << kVersionCountBits;
}

class Cursor {
public:
    explicit Cursor(std::string_view bytes) : rest_(bytes) {}

    [[nodiscard]] bool good() const {
        return good_;
    }
    [[nodiscard]] bool at_end() const {
        return rest_.empty();
    }
    [[nodiscard]] std::string_view rest() const {
        return rest_;
    }

    std::uint64_t varint() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += kVarintBits) {
            const auto byte = static_cast<std::uint8_t>(rest_.front());
            rest_.remove_prefix(1);
            value |= std::uint64_t{byte & (kMore - 1)} << shift;
            if ((byte & kMore) == 0) {
                return value;
            }
        }
        return spoil();
    }

    std::string_view text(std::size_t size_max) {
        const std::uint64_t size = varint();
        if (!good_ || size > size_max || size > rest_.size()) {
            spoil();
            return {};
        }
        const std::string_view text = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return text;
    }

    template <typename Enum>
    Enum choice(Enum last) {
        const std::uint64_t value = varint();
        if (value > static_cast<std::uint64_t>(last)) {
            spoil();
            return {};
        }
        return static_cast<Enum>(value);
    }

private:
    std::uint64_t spoil() {
        good_ = false;
        rest_ = {};
        return 0;
    }

    std::string_view rest_;
    bool good_ = true;
};

std::unexpected<Error> broken() {
    return fail(Errc::corrupt, "a record of the history");
}

}  // namespace

// record: time since the one before, service, size of the rest, rest
// rest: slot, what, why, cause, version, id, client address, addresses, by; asked by, when somebody
// said who asked; what a later release adds
void Batch::add(const Note& note) {
    const Publication& publication = note.publication;
    const std::int64_t at = note.at.unix_ms;
    put_varint(bytes_,
               zigzag(static_cast<std::uint64_t>(at) - static_cast<std::uint64_t>(previous_ms_)));
    put_service(bytes_, *publication.service);

    std::string& rest = rest_;
    rest.clear();
    put_varint(rest, note.slot.raw());
    put_varint(rest, static_cast<std::uint64_t>(note.what));
    put_varint(rest, static_cast<std::uint64_t>(note.why));
    put_varint(rest, static_cast<std::uint64_t>(note.cause));
    // Its physical part is about now, so that the difference is short.
    put_varint(rest,
               note.version == Version{} ? 0 : zigzag(note.version.raw() - as_version(at)) + 1);
    put_text(rest, publication.id.raw());
    put_text(rest, publication.client_address);
    put_varint(rest, std::min(publication.boxes.size(), kPlacesMax));
    std::size_t places = 0;
    for (const std::string_view box : publication.boxes) {
        if (++places > kPlacesMax) {
            break;
        }
        put_text(rest, place_of(box));
    }
    put_text(rest, note.by);
    if (!note.asked_by.empty()) {
        put_text(rest, note.asked_by);
    }
    put_varint(bytes_, rest.size());
    bytes_ += rest;

    first_ms_ = records_ == 0 ? at : std::min(first_ms_, at);
    last_ms_ = records_ == 0 ? at : std::max(last_ms_, at);
    previous_ms_ = at;
    ++records_;
}

Result<HistoryRecord> RecordView::read() const {
    Cursor cursor(rest_);
    HistoryRecord record{.at_ms = at_ms_, .slot = {}, .id = {}, .by = {}, .version = {}};
    record.slot = SlotId(static_cast<std::uint16_t>(cursor.varint()));
    record.what = cursor.choice(HistoryRecord::What::restored);
    record.why = cursor.choice(HistoryRecord::Why::marked);
    record.cause = cursor.choice(RemovalCause::evicted);
    if (const std::uint64_t version = cursor.varint(); version != 0) {
        record.version = Version(unzigzag(version - 1) + as_version(at_ms_));
    }
    record.id = RegistId(std::string(cursor.text(kTextBytesMax)));
    record.client_address = cursor.text(kTextBytesMax);
    const std::uint64_t places = cursor.varint();
    if (!cursor.good() || places > kPlacesMax) {
        return broken();
    }
    for (std::uint64_t i = 0; i < places; ++i) {
        record.addresses.emplace_back(cursor.text(kTextBytesMax));
    }
    record.by = NodeId(std::string(cursor.text(kTextBytesMax)));
    if (cursor.good() && !cursor.at_end()) {
        record.asked_by = cursor.text(kTextBytesMax);
    }
    if (!cursor.good()) {
        return broken();
    }
    return record;
}

Result<void> for_each_record(std::string_view batch,
                             const std::function<void(const RecordView&)>& show) {
    Cursor cursor(batch);
    std::uint64_t at = 0;
    while (!cursor.at_end()) {
        at += unzigzag(cursor.varint());
        const std::string_view service = cursor.text(batch.size());
        const std::string_view rest = cursor.text(batch.size());
        if (!cursor.good()) {
            return broken();
        }
        show({static_cast<std::int64_t>(at), service, rest});
    }
    return {};
}

}  // namespace muster::history
