#include "doors/http/history_json.h"

#include <chrono>

#include <fmt/chrono.h>

#include "doors/http/json_writer.h"

namespace muster::http {
namespace {

using propagation::HistoryReport;

// "2026-11-23T00:04:33.120Z"; a moment that no calendar has is the first one.
std::string time_text(std::int64_t unix_ms) {
    constexpr std::int64_t kLastMs = 253'402'300'799'999;  // of the year 9999
    constexpr std::int64_t kSecond = 1000;
    const std::int64_t ms = unix_ms < 0 || unix_ms > kLastMs ? 0 : unix_ms;
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                       fmt::gmtime(static_cast<std::time_t>(ms / kSecond)), ms % kSecond);
}

bool has_cause(const HistoryRecord& record) {
    return record.what == HistoryRecord::What::removed || record.what == HistoryRecord::What::held;
}

// What is not known, or not so, is left out.
void write_line(JsonWriter& json, const HistoryReport::Line& line) {
    const HistoryRecord& record = line.record;
    json.begin_object()
        .field("at", time_text(record.at_ms))
        .field("at_ms", record.at_ms)
        .field("what", to_string(record.what));
    if (has_cause(record)) {
        json.field("cause", to_string(record.cause));
    }
    json.field("reason", to_string(record.why)).field("why", sentence_of(record));
    if (record.by != NodeId{}) {
        json.field("by", record.by.raw());
    }
    if (!record.asked_by.empty()) {
        json.field("asked_by", record.asked_by);
    }
    json.key("addresses").begin_array();
    for (const std::string& address : record.addresses) {
        json.value(address);
    }
    json.end_array()
        .field("client_address", record.client_address)
        .field("id", record.id.raw())
        .field("slot", record.slot.raw());
    if (record.version != Version{}) {
        json.field("version", std::to_string(record.version.raw()));
    }
    json.field("noted_by", line.node.raw()).end_object();
}

void write_node(JsonWriter& json, const HistoryReport::Node& node) {
    json.begin_object().field("node", node.node.raw());
    if (!node.refused.empty()) {
        json.field("refused", node.refused);
    } else if (node.reaches_ms != 0) {
        json.field("since", time_text(node.reaches_ms)).field("since_ms", node.reaches_ms);
    }
    json.end_object();
}

void write_loss(JsonWriter& json, const HistoryReport::Loss& lost) {
    json.begin_object()
        .field("node", lost.node.raw())
        .field("from", time_text(lost.loss.from_ms))
        .field("to", time_text(lost.loss.to_ms))
        .field("records", lost.loss.records)
        .end_object();
}

}  // namespace

std::string history_json(const HistoryReport& report) {
    JsonWriter json;
    json.begin_object().field("service", report.service->path()).key("records").begin_array();
    for (const HistoryReport::Line& line : report.lines) {
        write_line(json, line);
    }
    json.end_array().field("more", report.more).key("nodes").begin_array();
    for (const HistoryReport::Node& node : report.nodes) {
        write_node(json, node);
    }
    json.end_array().key("lost").begin_array();
    for (const HistoryReport::Loss& lost : report.lost) {
        write_loss(json, lost);
    }
    json.end_array().key("silent").begin_array();
    for (const NodeId& node : report.silent) {
        json.value(node.raw());
    }
    json.end_array().end_object();
    return std::move(json).take();
}

}  // namespace muster::http
