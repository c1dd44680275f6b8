#include "doors/http/verify_json.h"

#include <string_view>

#include "doors/http/json_writer.h"
#include "model/service.h"

namespace muster::http {
namespace {

using verify::Finding;

// What is not known of a finding is left out.
void write_finding(JsonWriter& json, const Finding& finding) {
    json.begin_object()
        .field("kind", verify::to_string(finding.kind))
        .field("slot", finding.slot.raw());
    const auto text = [&json](std::string_view name, const std::string& value) {
        if (!value.empty()) {
            json.field(name, value);
        }
    };
    text("leader", finding.leader.raw());
    text("node", finding.node.raw());
    if (verify::has_counts(finding.kind)) {
        json.field("leader_has", finding.leader_has).field("node_has", finding.node_has);
    }
    if (finding.lacks) {
        json.field("lacks", *finding.lacks);
    }
    const auto service = parse_data_info_id(finding.service);
    text("service", service ? service->path() : finding.service);
    text("publication", finding.publication);
    json.field("what", verify::sentence_of(finding))
        .field("do", verify::advice_on(finding))
        .end_object();
}

void write_findings(JsonWriter& json, std::string_view name, const std::vector<Finding>& findings) {
    json.key(name).begin_array();
    for (const Finding& finding : findings) {
        write_finding(json, finding);
    }
    json.end_array();
}

}  // namespace

std::string verify_json(const verify::Report& report) {
    JsonWriter json;
    json.begin_object()
        .field("result", verify::to_string(report.verdict()))
        .field("table_epoch", std::to_string(report.table_epoch.raw()))
        .field("slots", report.slots)
        .field("slots_equal", report.slots_equal)
        .field("copies", report.copies)
        .field("copies_equal", report.copies_equal)
        .field("sessions", report.sessions)
        .field("publications", report.publications)
        .field("orphans", report.orphans)
        .field("held_back", report.held_back)
        .field("rounds", report.rounds)
        .field("took_ms", to_ms(report.took));
    write_findings(json, "differences", report.differences);
    write_findings(json, "not_compared", report.open);
    json.field("more", report.more).key("silent").begin_array();
    for (const msg::RoleAddress& who : report.silent) {
        json.begin_object()
            .field("node", who.node.raw())
            .field("role", to_string(who.role))
            .end_object();
    }
    json.end_array().end_object();
    return std::move(json).take();
}

}  // namespace muster::http
