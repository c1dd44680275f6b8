#include "doors/http/propagation_json.h"

#include "doors/http/errors.h"
#include "doors/http/json_writer.h"

namespace muster::http {
namespace {

using propagation::Report;

std::string text_of(Version version) {
    return std::to_string(version.raw());
}

void write_session(JsonWriter& json, const Report::Session& session) {
    json.begin_object()
        .field("node", session.node.raw())
        .field("version", text_of(session.version))
        .field("complete", session.complete)
        .field("subscribers", session.lists)
        .field("behind", session.behind)
        .field("congested", session.congested)
        .end_object();
}

// What is not known, or not so, is left out.
void write_line(JsonWriter& json, const Report::Line& line) {
    const msg::SubscriberLine& one = line.subscriber;
    json.begin_object()
        .field("client_address", one.client_address)
        .field("session", line.session.raw())
        .field("door", one.door)
        .field("app", one.app)
        .field("scope", to_string(one.scope))
        .field("zone", one.zone)
        .field("subscriptions", one.subscriptions)
        .field("acknowledged", text_of(one.acknowledged));
    if (one.in_flight != Version{}) {
        json.field("in_flight", text_of(one.in_flight));
    }
    json.field("behind", one.behind);
    if (one.behind && one.changes) {
        json.field("changes_behind", *one.changes);
    }
    if (one.behind) {
        json.field("behind_ms", one.behind_ms);
    }
    json.field("congested", one.congested).end_object();
}

void write_silent(JsonWriter& json, const Report& report) {
    json.key("silent").begin_array();
    for (const msg::RoleAddress& who : report.silent) {
        json.begin_object()
            .field("node", who.node.raw())
            .field("role", to_string(who.role))
            .end_object();
    }
    json.end_array();
}

void write_stages(JsonWriter& json, const Report& report) {
    json.field("measured_ms", report.measured_ms).key("stages").begin_array();
    for (const Report::StageSum& sum : report.stages) {
        json.begin_object()
            .field("stage", to_string(sum.stage))
            .field("count", sum.count)
            .field("p50_us", sum.quantile_us(50))
            .field("p99_us", sum.quantile_us(99))
            .field("max_us", sum.max_us)
            .field("mean_us", sum.count == 0 ? 0 : sum.sum_us / sum.count)
            .field("below_zero", sum.below_zero)
            .end_object();
    }
    json.end_array();
}

std::string sentence_of(const propagation::DrainWish& wish,
                        const propagation::DrainReport& report) {
    std::string text = std::to_string(report.who.behind) + " of " +
                       std::to_string(report.who.lists) +
                       " subscribers have not acknowledged a list without " + wish.address;
    for (const msg::RoleAddress& who : report.who.silent) {
        text += ", " + who.node.raw() + " did not answer";
    }
    return text;
}

void write_marked(JsonWriter& json, const propagation::DrainWish& wish,
                  const propagation::DrainReport& report) {
    json.field("service", wish.service->path())
        .field("address", wish.address)
        .field("version", text_of(report.who.version))
        .field("instances", report.ids.size())
        .field("changed", report.changed)
        .field("others", report.others)
        .field("copies", report.copies);
    json.key("lacking").begin_array();
    for (const NodeId& node : report.lacking) {
        json.value(node.raw());
    }
    json.end_array();
}

}  // namespace

std::string propagation_json(const Report& report) {
    JsonWriter json;
    json.begin_object()
        .field("service", report.service->path())
        .field("leader", report.leader.raw())
        .field("version", text_of(report.version))
        .field("settled", report.settled)
        .field("instances", report.publications)
        .field("drained", report.drained)
        .field("subscribers", report.lists)
        .field("behind", report.behind)
        .field("congested", report.congested);
    json.key("sessions").begin_array();
    for (const Report::Session& session : report.sessions) {
        write_session(json, session);
    }
    json.end_array().key("lists").begin_array();
    for (const Report::Line& line : report.lines) {
        write_line(json, line);
    }
    json.end_array().field("more", report.more);
    write_silent(json, report);
    if (!report.stages.empty()) {
        write_stages(json, report);
    }
    json.end_object();
    return std::move(json).take();
}

std::string drained_json(const propagation::DrainWish& wish,
                         const propagation::DrainReport& report) {
    const Report& who = report.who;
    JsonWriter json;
    json.begin_object();
    if (!report.confirmed) {
        const Error error{Errc::timeout, sentence_of(wish, report)};
        write_error(json, error);
    }
    write_marked(json, wish, report);
    json.field("drained", report.confirmed)
        .field("gone", report.gone)
        .field("waited_ms", to_ms(report.waited))
        .field("subscribers", who.lists)
        .field("unconfirmed", who.behind);
    json.key("lists").begin_array();
    for (const Report::Line& line : who.lines) {
        write_line(json, line);
    }
    json.end_array().field("more", who.more);
    write_silent(json, who);
    json.end_object();
    return std::move(json).take();
}

std::string restored_json(const propagation::DrainWish& wish,
                          const propagation::DrainReport& report) {
    JsonWriter json;
    json.begin_object();
    write_marked(json, wish, report);
    json.field("ramp_ms", to_ms(wish.ramp)).end_object();
    return std::move(json).take();
}

}  // namespace muster::http
