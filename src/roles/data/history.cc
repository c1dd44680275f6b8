#include <algorithm>
#include <utility>

#include "roles/data/data_impl.h"

// What becomes of publications is noted where their changes are given versions, by the leader of
// the slot: there it is known who said what. Copies of the slot note nothing.
namespace muster::data {

namespace {

// A leader that was supplied with what lives may be told of an end before it heard of the
// beginning: all that it knows is what ended.
PublicationPtr gone_unseen(const store::Write& write) {
    return std::make_shared<const Publication>(
        Publication{.id = write.id, .service = write.service, .order = write.order});
}

}  // namespace

// Of the newest effect of `written`: it is noted when that has its version.
void DataServer::Impl::remember(const Turn& turn, Written& written, HistoryRecord::What what,
                                const PublicationPtr& publication, RemovalCause cause) {
    if (env_.history != nullptr) {
        written.remembered.push_back({.effect = written.effects.size() - 1,
                                      .publication = publication,
                                      .what = what,
                                      .why = turn.why,
                                      .cause = cause,
                                      .by = turn.by,
                                      .asked_by = turn.asked_by,
                                      .visible = written.effects.back().visible});
    }
}

// The newest effect is that of `write` on what was there before. What only said the same again is
// not remembered.
void DataServer::Impl::remember_write(const Turn& turn, Written& written, const store::Write& write,
                                      const store::DatumStore::Entry& before) {
    if (env_.history == nullptr) {
        return;
    }
    using What = HistoryRecord::What;
    const store::Effect& effect = written.effects.back();
    if (effect.publication == nullptr) {
        remember(turn, written, What::removed,
                 before.publication != nullptr ? before.publication : gone_unseen(write),
                 write.cause);
    } else if (before.publication == nullptr) {
        remember(turn, written, What::registered, effect.publication);
    } else if (!before.publication->same_content(*effect.publication)) {
        remember(turn, written, What::changed, effect.publication);
    } else if (before.owner != effect.owner) {
        remember(turn, written, What::moved, effect.publication);
        Remembered& moved = written.remembered.back();
        moved.why = before.owner == store::kNobody ? HistoryRecord::Why::heard_again
                                                   : HistoryRecord::Why::said;
        moved.by = owners_.session(effect.owner);
    }
}

// `versions`: of the entries that the effects made.
void DataServer::Impl::record(const Written& written, const std::vector<Version>& versions) {
    if (written.remembered.empty()) {
        return;
    }
    const WallTime now = env_.clock.wall();
    const SlotId slot = *slots_.id_of(*written.service);
    for (const Remembered& one : written.remembered) {
        env_.history->note(
            {.at = now,
             .slot = slot,
             .what = one.what,
             .why = one.why,
             .cause = one.cause,
             .publication = *one.publication,
             .by = one.by.raw(),
             .version = one.visible ? versions[one.effect / kEffectsPerEntry] : Version{},
             .asked_by = one.asked_by});
    }
}

// Why what a session owned goes that is not there any more.
HistoryRecord::Why DataServer::Impl::why_gone(store::OwnerId owner) const {
    const NodeId& node = owners_.session(owner);
    const auto gone = sessions_.gone(node);
    if (!gone && sessions_.find(node) != nullptr) {
        return HistoryRecord::Why::session_anew;
    }
    return ended(owner) ? HistoryRecord::Why::session_ended : HistoryRecord::Why::session_silent;
}

void DataServer::Impl::on(const msg::RoleAddress& from, const msg::HistoryRequest& request) {
    msg::HistoryReply reply{.incarnation = request.incarnation,
                            .request = request.request,
                            .result = {},
                            .records = {},
                            .lost = {}};
    if (env_.history == nullptr) {
        reply.result = fail(Errc::refused, options_.node.raw() + " keeps no history");
        env_.outbox.send(from, std::move(reply));
        return;
    }
    env_.history->find(
        {.service = request.service->path(),
         .address = request.address,
         .since_ms = request.since_ms,
         .until_ms = request.until_ms,
         .limit = std::clamp<std::uint32_t>(request.limit, 1, msg::HistoryRequest::kLimitMax)},
        [this, from, reply = std::move(reply)](Result<history::Answer> found) mutable {
            if (found) {
                reply.records = std::move(found->records);
                reply.more = found->more;
                reply.reaches_ms = found->reaches_ms;
                reply.lost = std::move(found->lost);
            } else {
                reply.result = std::unexpected(std::move(found).error());
            }
            env_.outbox.send(from, std::move(reply));
        });
}

}  // namespace muster::data
