#include "sim/world/describe.h"

#include <fmt/format.h>

namespace muster::sim {
namespace {

std::string order_of(const RegistOrder& order) {
    return fmt::format("{}@{}", order.version, order.timestamp_ms % 100'000'000);
}

std::string short_version(Version version) {
    return fmt::format("{}.{}", (version.raw() >> kVersionCountBits) % 1'000'000'000,
                       version.raw() & ((1U << kVersionCountBits) - 1));
}

// Messages are also described empty, for the names of their kinds.
std::string name_of(const ServicePtr& service) {
    return service == nullptr ? "nothing" : service->data_id;
}

std::string op_text(const msg::PublishBatch::Op& op) {
    return fmt::format("{}{}({} s{})", op.publication != nullptr ? "+" : "-", op.id.raw(),
                       order_of(op.order), op.owner_seq);
}

template <typename List, typename Text>
std::string joined(const List& list, const Text& text) {
    std::string all;
    for (const auto& item : list) {
        all += ' ';
        all += text(item);
    }
    return all;
}

std::string change_text(const std::variant<DatumChange, DatumSnapshot>& either) {
    if (const auto* change = std::get_if<DatumChange>(&either)) {
        return fmt::format(
            "{} {}->{}:{}{}{};", change->service->data_id, short_version(change->from),
            short_version(change->to),
            joined(change->upserts, [](const auto& p) { return "+" + describe(*p); }),
            joined(change->removals, [](const Departure& r) { return "-" + r.id.raw(); }),
            change->digest ? fmt::format(" #{:x}", change->digest->low >> 48U) : "");
    }
    const auto& whole = std::get<DatumSnapshot>(either);
    return fmt::format(
        "{} ={} {}:{}{};", whole.service->data_id, short_version(whole.version),
        whole.settled ? "settled" : "unsettled",
        joined(whole.publications, [](const auto& p) { return describe(*p); }),
        joined(whole.departed, [](const auto& gone) { return "-" + gone.id.raw(); }));
}

std::string text(const msg::PublishBatch& m) {
    return fmt::format("PublishBatch slot {} epoch {} #{}{}", m.slot.raw(), m.slot_epoch.raw(),
                       m.batch, joined(m.ops, op_text));
}
std::string text(const msg::InterestDeclare& m) {
    return fmt::format("InterestDeclare stream {} part {}{}", m.stream, m.part,
                       joined(m.items, [](const auto& item) {
                           const auto also = [](const char* what, Version version) {
                               return version == Version{} ? "" : what + short_version(version);
                           };
                           return item.service->data_id + ">" + short_version(item.held) +
                                  (item.complete ? "" : " incomplete") +
                                  also(" heard ", item.heard) +
                                  joined(item.doubted, [](Version seen) {
                                      return "doubted " + short_version(seen);
                                  });
                       }));
}
std::string text(const msg::InterestDrop& m) {
    return fmt::format("InterestDrop stream {} part {}{}", m.stream, m.part,
                       joined(m.services, [](const auto& s) { return s->data_id; }));
}
std::string text(const msg::SessionHeartbeat& m) {
    return fmt::format("SessionHeartbeat life {} stamp {} round {}{}", m.session.raw(), m.stamp,
                       m.round & 0xFFFFF, joined(m.digests, [](const auto& told) {
                           return fmt::format(
                               "{}@{}={}{}{}", told.slot.raw(), told.slot_epoch.raw(), told.count,
                               told.complete ? "" : " incomplete", told.acting ? " acting" : "");
                       }));
}
std::string text(const msg::SlotDetail& m) {
    return fmt::format("SlotDetail slot {} epoch {} stamp {}{}{}{}", m.slot.raw(),
                       m.slot_epoch.raw(), m.stamp, joined(m.publications, op_text),
                       m.after == RegistId() ? "" : " after " + m.after.raw(),
                       m.more ? " and more" : "");
}
std::string text(const msg::ListServices& m) {
    return fmt::format("ListServices {}", m.query);
}
std::string text(const msg::PublishBatchReply& m) {
    return fmt::format("PublishBatchReply slot {} #{} {}", m.slot.raw(), m.batch,
                       m.result ? "ok" : info(m.result.error().code).name);
}
std::string text(const msg::ChangeBatch& m) {
    return fmt::format("ChangeBatch stream {} seq {}{}{}{}", m.stream, m.seq,
                       joined(m.changes, change_text), m.goes_on ? " goes on" : "",
                       m.ack_due ? " ack due" : "");
}
std::string text(const msg::InterestAck& m) {
    return fmt::format("InterestAck stream {} part {}", m.stream, m.part);
}
std::string text(const msg::DataHeartbeat& m) {
    return fmt::format("DataHeartbeat life {} stream {} last {} round {}{}", m.data.raw(), m.stream,
                       m.last_seq, m.round & 0xFFFFF, m.waits ? " waits" : "");
}
std::string text(const msg::ChangesTaken& m) {
    return fmt::format("ChangesTaken stream {} seq {}", m.stream, m.seq);
}
std::string text(const msg::SlotDetailRequest& m) {
    return fmt::format("SlotDetailRequest{}", joined(m.slots, [](const auto& item) {
                           return fmt::format(
                               "{}@{}{}", item.slot.raw(), item.slot_epoch.raw(),
                               item.after == RegistId() ? "" : " after " + item.after.raw());
                       }));
}
std::string text(const msg::Superseded& m) {
    return fmt::format("Superseded{}", joined(m.items, [](const auto& item) {
                           return fmt::format("{} s{}", item.id.raw(), item.owner_seq);
                       }));
}
std::string text(const msg::ListServicesReply& m) {
    return fmt::format("ListServicesReply {} with {}", m.query, m.services.size());
}
std::string text(const msg::NodeHeartbeat& m) {
    return fmt::format("NodeHeartbeat {} life {} {} table {} members {} copies {}{}",
                       m.member.node.raw(), m.member.incarnation.raw(), to_string(m.member.phase),
                       m.table_epoch.raw(), m.members_epoch, m.copies.size(),
                       joined(m.lost, [](const auto& lost) {
                           return fmt::format("lost {} life {}", lost.node.raw(), lost.life.raw());
                       }));
}
std::string text(const msg::ConfigInterest& m) {
    return fmt::format("ConfigInterest of {}", m.items.size());
}
std::string text(const msg::PutTurnRequest& m) {
    return fmt::format("PutTurnRequest {} life {}", m.request, m.incarnation.raw());
}
std::string text(const msg::PutTurnReply& m) {
    return fmt::format("PutTurnReply {} turn {}.{}", m.request, m.turn.term, m.turn.number);
}
std::string text(const msg::ConfigPut& m) {
    return fmt::format("ConfigPut {} turn {}.{} {}={}", m.request, m.turn.term, m.turn.number,
                       m.key, m.value.value_or("nothing"));
}
std::string text(const msg::NodeHeartbeatReply& m) {
    return fmt::format("NodeHeartbeatReply life {} known {} ceiling {} table {} members {}",
                       m.incarnation.raw(), m.known_before, short_version(m.version_ceiling),
                       m.table ? m.table->epoch.raw() : 0, m.members_epoch);
}
std::string text(const msg::ConfigValue& m) {
    return fmt::format("ConfigValue {} {}={}", m.key, m.version.raw(), m.value ? *m.value : "none");
}
std::string text(const msg::ConfigPutReply& m) {
    return fmt::format("ConfigPutReply {} {}", m.request, m.result ? "ok" : "failed");
}
std::string position_of(const msg::LogPosition& at) {
    return fmt::format("{}:{}", at.epoch.raw(), at.number);
}
std::string text(const msg::FollowSlot& m) {
    return fmt::format("FollowSlot slot {} epoch {} from {}", m.slot.raw(), m.slot_epoch.raw(),
                       position_of(m.held));
}
std::string text(const msg::SlotEntries& m) {
    return fmt::format("SlotEntries slot {} after {}{}{}", m.slot.raw(), position_of(m.after),
                       m.settled    ? " settled"
                       : m.in_doubt ? " in doubt"
                                    : "",
                       joined(m.entries, [](const msg::SlotEntry& entry) {
                           return entry.service->data_id + ">" + short_version(entry.to);
                       }));
}
std::string text(const msg::SlotImage& m) {
    return fmt::format("SlotImage slot {} at {} part {}{}", m.slot.raw(), position_of(m.position),
                       m.part, m.last ? " last" : "");
}
std::string text(const msg::ImageRequest& m) {
    return fmt::format("ImageRequest slot {} image {} part {}", m.slot.raw(), m.image, m.part);
}
std::string text(const msg::LeaderPulse& m) {
    return fmt::format("LeaderPulse table {} streams {} compares {}", m.table_epoch.raw(),
                       m.streamed, m.copies.size());
}
std::string text(const msg::VerifyRequest& m) {
    return fmt::format("VerifyRequest {} of {} slots{}", m.request, m.slots.size(),
                       m.session == NodeId{} ? "" : " for " + m.session.raw());
}
std::string text(const msg::VerifyReply& m) {
    return fmt::format("VerifyReply {} with {}", m.request, m.copies.size());
}
std::string text(const msg::NewestRequest& m) {
    return fmt::format("NewestRequest {} of {}", m.request, name_of(m.service));
}
std::string text(const msg::NewestReply& m) {
    return fmt::format("NewestReply {} {} {}", m.request, m.leads ? "leads" : "does not lead",
                       short_version(m.version));
}
std::string text(const msg::ReachRequest& m) {
    return fmt::format("ReachRequest {} of {} {} {}{}", m.request, m.session.raw(),
                       name_of(m.service), short_version(m.version),
                       joined(m.without, [](const RegistId& id) { return "without " + id.raw(); }));
}
std::string text(const msg::ReachReply& m) {
    return fmt::format("ReachReply {} of {} {} lists {} behind {}", m.request, m.session.raw(),
                       short_version(m.version), m.lists, m.behind);
}
std::string text(const msg::MarkRequest& m) {
    return fmt::format("MarkRequest {} {} {} {}", m.request,
                       m.kind == Mark::Kind::drained ? "drained" : "restored", name_of(m.service),
                       m.address);
}
std::string text(const msg::MarkReply& m) {
    return fmt::format("MarkReply {} {}{}", m.request, m.result ? "ok" : "refused",
                       joined(m.ids, [](const RegistId& id) { return id.raw(); }));
}
std::string text(const msg::HistoryRequest& m) {
    return fmt::format("HistoryRequest {} {} {}", m.request, name_of(m.service), m.address);
}
std::string text(const msg::HistoryReply& m) {
    return fmt::format("HistoryReply {} {} of {} records", m.request, m.result ? "ok" : "refused",
                       m.records.size());
}
std::string text(const msg::VerifySessionReply& m) {
    return fmt::format("VerifySessionReply {} of {} for {}", m.request, m.session.raw(),
                       m.asker.raw());
}
std::string text(const msg::ViewRequest& m) {
    return fmt::format("ViewRequest above {}", m.table_epoch.raw());
}
std::string text(const msg::ViewReply& m) {
    return fmt::format("ViewReply table {} members {}", m.table.epoch.raw(), m.members.size());
}
std::string text(const msg::CopiesRequest& m) {
    return fmt::format("CopiesRequest of {} slots", m.slots.size());
}
std::string text(const msg::CopiesReply& m) {
    return fmt::format("CopiesReply with {}", m.copies.size());
}
std::string text(const msg::NotLeading& m) {
    return fmt::format("NotLeading{}", joined(m.items, [](const auto& item) {
                           return fmt::format("{}@{}{}", item.slot.raw(), item.slot_epoch.raw(),
                                              item.acting ? " acting" : "");
                       }));
}
std::string text(const msg::FollowAck& m) {
    return fmt::format("FollowAck{}", joined(m.items, [](const auto& item) {
                           return fmt::format("{}@{}", item.slot.raw(), position_of(item.held));
                       }));
}
std::string text(const msg::NodeRefused& m) {
    return fmt::format("NodeRefused life {}: {}", m.incarnation.raw(), m.why.detail);
}
std::string text(const msg::OperatorRequest& m) {
    return fmt::format("OperatorRequest {} kind {}", m.request, m.what.index());
}
std::string text(const msg::BrakeRequest& m) {
    return fmt::format("BrakeRequest {} action {} of {}", m.request, static_cast<int>(m.action),
                       m.name);
}
std::string text(const msg::BrakeReply& m) {
    return fmt::format("BrakeReply {} {} lines, {} brakes, {} publications", m.request,
                       m.lines.size(), m.brakes, m.publications);
}
std::string text(const msg::OperatorReply& m) {
    return fmt::format("OperatorReply {} {}", m.request, m.result ? "ok" : m.result.error().detail);
}

std::string text(const msg::RegisterPublishers& m) {
    return fmt::format("Register r{}{}{}", m.request.raw(), m.lease > Duration{} ? " leased" : "",
                       joined(m.publications, [](const auto& p) { return describe(*p); }));
}
std::string text(const msg::UnregisterPublishers& m) {
    return fmt::format("Unregister r{}{}", m.request.raw(), joined(m.items, [](const auto& item) {
                           return item.id.raw() + "(" + order_of(item.order) + ")";
                       }));
}
std::string text(const msg::Subscribe& m) {
    return fmt::format("Subscribe r{}{}", m.request.raw(), joined(m.items, [](const auto& item) {
                           return item.subscription.id.raw() + ":" +
                                  item.subscription.service->data_id + ">" +
                                  short_version(item.held);
                       }));
}
std::string text(const msg::Unsubscribe& m) {
    return fmt::format("Unsubscribe r{}{}", m.request.raw(),
                       joined(m.items, [](const auto& item) { return item.id.raw(); }));
}
std::string text(const msg::WatchConfig& m) {
    return fmt::format("WatchConfig r{} {}", m.request.raw(), m.watch.key->data_id);
}
std::string text(const msg::UnwatchConfig& m) {
    return fmt::format("UnwatchConfig r{} {}", m.request.raw(), m.watch.key->data_id);
}
std::string text(const msg::PushAck& m) {
    return fmt::format("PushAck {} {} {}", m.service->data_id, short_version(m.version),
                       m.ok ? "ok" : "not ok");
}

}  // namespace

std::string describe(const msg::ClusterMessage& message) {
    return std::visit([](const auto& known) { return text(known); }, message);
}

std::string describe(const msg::ClientMessage& message) {
    return std::visit([](const auto& known) { return text(known); }, message);
}

std::string describe(const msg::RequestReply& reply) {
    return fmt::format("Reply r{}{}", reply.request.raw(),
                       joined(reply.outcomes, [](const auto& outcome) {
                           return outcome.id.raw() + (outcome.result ? "=ok" : "=refused");
                       }));
}

std::string describe(const msg::Push& push) {
    if (push.delta != nullptr) {
        return fmt::format(
            "Push {} {} {} delta {}->{}:{}{}", push.view->service->data_id, to_string(push.scope),
            push.zone, short_version(push.delta->from), short_version(push.delta->to),
            joined(push.delta->upserts, [](const auto& p) { return "+" + describe(*p); }),
            joined(push.delta->removals, [](const RegistId& id) { return "-" + id.raw(); }));
    }
    return fmt::format("Push {} {} {} {} {}:{}", push.view->service->data_id, to_string(push.scope),
                       push.zone, short_version(push.view->version),
                       push.view->complete ? "complete" : "incomplete",
                       joined(push.view->publications, [](const auto& p) { return describe(*p); }));
}

std::string describe(const msg::ConfigPush& push) {
    return fmt::format("ConfigPush {} {} {}", push.key->data_id, push.version.raw(),
                       push.value ? *push.value : "none");
}

std::string describe(const msg::RoleAddress& address) {
    return fmt::format("{}/{}", to_string(address.role), address.node.raw());
}

std::string describe(const Publication& publication) {
    return fmt::format("{}({} {})", publication.id.raw(), order_of(publication.order),
                       publication.boxes.empty() ? "" : publication.boxes.front());
}

}  // namespace muster::sim
