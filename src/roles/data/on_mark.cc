#include <algorithm>

#include "roles/data/data_impl.h"

// What operators say about single instances: they are about to leave, or are back. Only the leader
// of a slot takes it; its log and images tell the copies, so that whoever leads next knows it.
namespace muster::data {
namespace {

using Entry = store::DatumStore::Entry;

bool is_at(const Publication& publication, const Endpoint& place) {
    return std::ranges::any_of(publication.boxes, [&](std::string_view box) {
        const auto endpoint = Endpoint::parse(box);
        return endpoint && endpoint->ip == place.ip && endpoint->port == place.port;
    });
}

Result<void> check(const msg::MarkRequest& request) {
    if (request.ramp_ms < 0 || request.ramp_ms > Mark::kRampMsMax) {
        return fail(Errc::invalid_argument,
                    "ramp: expected at most " + std::to_string(Mark::kRampMsMax / 1000) + " s");
    }
    return check_asked_by(request.asked_by);
}

}  // namespace

// The publications of `datum` that are at the address. What is not known may be elsewhere while the
// slot is not settled.
Result<std::vector<PublicationPtr>> DataServer::Impl::instances_at(
    const LedSlot& slot, const store::DatumStore::Datum* datum, const msg::MarkRequest& request) {
    auto place = Endpoint::parse(request.address);
    MUSTER_TRY(place);
    std::vector<PublicationPtr> found;
    if (datum != nullptr) {
        for (const Entry& entry : datum->entries) {
            if (is_at(*entry.publication, *place)) {
                found.push_back(entry.publication);
            }
        }
    }
    if (found.empty() && !slot.settled) {
        return fail(Errc::not_ready, "not all of " + request.service->path() + " is known yet");
    }
    if (datum == nullptr || datum->entries.empty()) {
        return fail(Errc::not_found, "nobody publishes " + request.service->path());
    }
    if (found.empty()) {
        return fail(Errc::not_found,
                    "no instance of " + request.service->path() + " is at " + request.address);
    }
    if (found.size() > msg::ReachRequest::kWithoutMax) {
        return fail(Errc::over_limit, std::to_string(found.size()) + " instances of " +
                                          request.service->path() + " are at " + request.address +
                                          ", at most " +
                                          std::to_string(msg::ReachRequest::kWithoutMax));
    }
    return found;
}

Result<void> DataServer::Impl::mark(const msg::MarkRequest& request, const NodeId& by,
                                    msg::MarkReply& reply) {
    LedSlot* slot = slots_.find(*request.service);
    if (slot == nullptr || slot->acting) {
        return fail(Errc::not_leader, options_.node.raw());
    }
    if (versions_.exhausted()) {
        return fail(Errc::not_ready, "the metas have not raised the version ceiling");
    }
    MUSTER_TRY(check(request));
    const auto* datum = slot->store.find(*request.service);
    const auto found = instances_at(*slot, datum, request);
    MUSTER_TRY(found);
    const bool drains = request.kind == Mark::Kind::drained;
    store::MarkPtr wanted;
    if (drains || request.ramp_ms > 0) {
        wanted = std::make_shared<const Mark>(Mark{.kind = request.kind,
                                                   .since_ms = env_.clock.wall().unix_ms,
                                                   .ramp_ms = request.ramp_ms});
    }
    Turn turn{.why = HistoryRecord::Why::marked, .by = by, .asked_by = request.asked_by};
    Written& written = turn.written[request.service->data_info_id()];
    written.service = request.service;
    for (const PublicationPtr& publication : *found) {
        reply.ids.push_back(publication->id);
        if (store::is_drained(slot->store.mark_of(publication->id)) != drains) {
            const Entry& entry = *slot->store.find(*request.service, publication->id);
            slot->store.set_mark(*request.service, publication->id, wanted);
            written.effects.push_back({.id = {},
                                       .publication = publication,
                                       .order = publication->order,
                                       .owner = entry.owner,
                                       .owner_seq = entry.owner_seq,
                                       .visible = true});
            remember(turn, written,
                     drains ? HistoryRecord::What::drained : HistoryRecord::What::restored,
                     publication);
        }
    }
    reply.changed = static_cast<std::uint32_t>(written.effects.size());
    probe_.marked.add(reply.changed);
    commit(*slot, turn);
    tell_copies(*slot, request, reply);
    reply.version = datum->version;
    reply.others =
        static_cast<std::uint32_t>(std::ranges::count_if(datum->entries, [&](const Entry& entry) {
            return !store::is_drained(slot->store.mark_of(entry.publication->id));
        }));
    if (reply.changed > 0) {
        env_.log.info(drains ? "data.instance.drained" : "data.instance.restored",
                      {{"service", request.service->path()},
                       {"address", request.address},
                       {"instances", reply.changed},
                       {"by", by.raw()},
                       {"asked_by", request.asked_by}});
    }
    return {};
}

// Which copies have the marks: those that acknowledged the log up to where it had them.
void DataServer::Impl::tell_copies(const LedSlot& slot, const msg::MarkRequest& request,
                                   msg::MarkReply& reply) const {
    const bool stands = reply.changed == 0 && slot.log.find(request.since).has_value();
    reply.since = stands ? request.since : slot.log.position();
    const store::SlotLog::Index needed = *slot.log.find(reply.since);
    reply.copies = 1;
    const SlotId id = *slots_.id_of(*request.service);
    for (const NodeId& node : slots_.table().slots[id.raw()].followers) {
        const auto follower = slot.followers.find(node);
        const bool has = follower != slot.followers.end() &&
                         follower->second.life != Incarnation{} && follower->second.acked >= needed;
        reply.copies += has ? 1 : 0;
        if (!has) {
            reply.lacking.push_back(node);
        }
    }
}

void DataServer::Impl::on(const msg::RoleAddress& from, const msg::MarkRequest& request) {
    msg::MarkReply reply{
        .incarnation = request.incarnation, .request = request.request, .ids = {}, .lacking = {}};
    reply.result = mark(request, from.node, reply);
    flush();  // followers and subscribers first
    env_.outbox.send(from, std::move(reply));
}

}  // namespace muster::data
