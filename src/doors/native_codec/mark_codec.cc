#include "doors/native_codec/mark_codec.h"

#include <algorithm>
#include <utility>

#include "doors/native_codec/encode_values.h"
#include "doors/native_codec/field_numbers.h"
#include "doors/native_codec/value_decoder.h"

namespace muster::native {
namespace {

constexpr std::size_t kLineHint = 64;

// A time of the wire: negative ones are very large, and what is too large is the largest there is.
Duration time_of(std::uint64_t ms) {
    return std::chrono::milliseconds(
        static_cast<std::int64_t>(std::min<std::uint64_t>(ms, UINT32_MAX)));
}

std::uint32_t count_of(std::uint64_t value) {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(value, UINT32_MAX));
}

void write_names(FieldWriter& writer, std::uint32_t number, const std::vector<std::string>& names) {
    for (const std::string& name : names) {
        writer.element(number, name);
    }
}

Result<msg::MarkOutcome::Behind> decode_line(std::string_view bytes, ValueDecoder& values) {
    MUSTER_TRY(values.count_item());
    msg::MarkOutcome::Behind line;
    FieldReader reader(bytes);
    for (Field field; reader.next(field);) {
        switch (key(field)) {
            case key(mark_line_field::kClientAddress, WireType::bytes): {
                MUSTER_ASSIGN(address, values.name(field.bytes, "an address"));
                line.client_address = std::move(address);
                break;
            }
            case key(mark_line_field::kApp, WireType::bytes): {
                MUSTER_ASSIGN(app, values.name(field.bytes, "an app"));
                line.app = std::move(app);
                break;
            }
            case key(mark_line_field::kSession, WireType::bytes): {
                MUSTER_ASSIGN(session, values.name(field.bytes, "a session"));
                line.session = std::move(session);
                break;
            }
            default: break;
        }
    }
    if (reader.broken()) {
        return malformed("a subscriber");
    }
    return line;
}

Result<void> read_name(const Field& field, ValueDecoder& values, std::vector<std::string>& into) {
    MUSTER_TRY(values.count_item());
    MUSTER_ASSIGN(name, values.name(field.bytes, "a node"));
    into.push_back(std::move(name));
    return {};
}

Result<void> read_reply_field(const Field& field, ValueDecoder& values, msg::MarkOutcome& outcome) {
    switch (key(field)) {
        case key(mark_reply_field::kIds, WireType::bytes): {
            MUSTER_TRY(values.count_item());
            MUSTER_ASSIGN(id, values.id(field.bytes));
            outcome.ids.push_back(std::move(id));
            break;
        }
        case key(mark_reply_field::kChanged, WireType::varint):
            outcome.changed = count_of(field.value);
            break;
        case key(mark_reply_field::kOthers, WireType::varint):
            outcome.others = count_of(field.value);
            break;
        case key(mark_reply_field::kConfirmed, WireType::varint):
            outcome.confirmed = field.value != 0;
            break;
        case key(mark_reply_field::kGone, WireType::varint): outcome.gone = field.value != 0; break;
        case key(mark_reply_field::kSubscribers, WireType::varint):
            outcome.lists = count_of(field.value);
            break;
        case key(mark_reply_field::kBehind, WireType::varint):
            outcome.behind = count_of(field.value);
            break;
        case key(mark_reply_field::kLines, WireType::bytes): {
            MUSTER_ASSIGN(line, decode_line(field.bytes, values));
            outcome.lines.push_back(std::move(line));
            break;
        }
        case key(mark_reply_field::kSilent, WireType::bytes):
            return read_name(field, values, outcome.silent);
        case key(mark_reply_field::kLacking, WireType::bytes):
            return read_name(field, values, outcome.lacking);
        case key(mark_reply_field::kWaitedMs, WireType::varint):
            outcome.waited = time_of(field.value);
            break;
        default: break;
    }
    return {};
}

}  // namespace

std::string encode(const msg::MarkWish& wish) {
    std::string out;
    FieldWriter writer(out);
    write_service(writer, mark_field::kService, *wish.service);
    writer.bytes(mark_field::kAddress, wish.address);
    writer.varint(mark_field::kRestore, wish.kind == Mark::Kind::restored ? 1 : 0);
    writer.sint(mark_field::kTimeoutMs, to_ms(wish.timeout));
    writer.sint(mark_field::kRampMs, to_ms(wish.ramp));
    writer.bytes(mark_field::kAskedBy, wish.asked_by);
    return out;
}

std::string encode(const msg::MarkOutcome& outcome) {
    std::string out;
    FieldWriter writer(out);
    for (const RegistId& id : outcome.ids) {
        writer.element(mark_reply_field::kIds, id.raw());
    }
    writer.varint(mark_reply_field::kChanged, outcome.changed);
    writer.varint(mark_reply_field::kOthers, outcome.others);
    writer.varint(mark_reply_field::kConfirmed, outcome.confirmed ? 1 : 0);
    writer.varint(mark_reply_field::kGone, outcome.gone ? 1 : 0);
    writer.varint(mark_reply_field::kSubscribers, outcome.lists);
    writer.varint(mark_reply_field::kBehind, outcome.behind);
    for (const msg::MarkOutcome::Behind& line : outcome.lines) {
        const auto mark = writer.begin(mark_reply_field::kLines, kLineHint);
        writer.bytes(mark_line_field::kClientAddress, line.client_address);
        writer.bytes(mark_line_field::kApp, line.app);
        writer.bytes(mark_line_field::kSession, line.session);
        writer.end(mark);
    }
    write_names(writer, mark_reply_field::kSilent, outcome.silent);
    write_names(writer, mark_reply_field::kLacking, outcome.lacking);
    writer.sint(mark_reply_field::kWaitedMs, to_ms(outcome.waited));
    return out;
}

Result<msg::MarkWish> decode_mark_request(std::string_view bytes, msg::RequestId request,
                                          const CodecLimits& limits) {
    MUSTER_TRY(check_size(bytes, limits));
    ValueDecoder values(limits);
    msg::MarkWish wish{.request = request, .service = nullptr, .address = {}};
    FieldReader reader(bytes);
    for (Field field; reader.next(field);) {
        switch (key(field)) {
            case key(mark_field::kService, WireType::bytes): {
                MUSTER_ASSIGN(service, values.service(field.bytes));
                wish.service = std::move(service);
                break;
            }
            case key(mark_field::kAddress, WireType::bytes): {
                MUSTER_ASSIGN(address, values.name(field.bytes, "an address"));
                wish.address = std::move(address);
                break;
            }
            case key(mark_field::kRestore, WireType::varint):
                wish.kind = field.value != 0 ? Mark::Kind::restored : Mark::Kind::drained;
                break;
            case key(mark_field::kTimeoutMs, WireType::varint):
                wish.timeout = time_of(field.value);
                break;
            case key(mark_field::kRampMs, WireType::varint):
                wish.ramp = time_of(field.value);
                break;
            case key(mark_field::kAskedBy, WireType::bytes): {
                MUSTER_ASSIGN(asked_by, values.name(field.bytes, "a name"));
                wish.asked_by = std::move(asked_by);
                break;
            }
            default: break;
        }
    }
    if (reader.broken()) {
        return malformed("the request");
    }
    if (wish.service == nullptr) {
        return fail(Errc::invalid_argument, "no service is named");
    }
    return wish;
}

Result<msg::MarkOutcome> decode_mark_reply(std::string_view bytes, msg::RequestId request,
                                           const CodecLimits& limits) {
    MUSTER_TRY(check_size(bytes, limits));
    ValueDecoder values(limits);
    msg::MarkOutcome outcome{.request = request, .ids = {}, .lines = {}, .silent = {}};
    FieldReader reader(bytes);
    for (Field field; reader.next(field);) {
        MUSTER_TRY(read_reply_field(field, values, outcome));
    }
    if (reader.broken()) {
        return malformed("the reply");
    }
    return outcome;
}

}  // namespace muster::native
