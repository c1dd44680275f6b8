#include "roles/node/node_view.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"

namespace muster::node {
namespace {

constexpr std::string_view kFile = "cluster.mview";

}  // namespace

NodeView::NodeView(NodeViewOptions options, NodeViewEnv env)
    : options_(std::move(options)), env_(std::move(env)) {}

Result<KeptView> NodeView::load() const {
    const auto bytes = env_.disk->read(kFile);
    return bytes ? decode_view(*bytes) : std::unexpected(bytes.error());
}

void NodeView::begin(MonoTime now) {
    started_ = now;
    heard_ = now;
    if (env_.disk == nullptr) {
        return;
    }
    auto kept = load();
    if (!kept) {
        env_.log.info("node.view.none", {{"reason", to_string(kept.error())}});
        return;
    }
    now_.reserved = kept->reserved;
    reserved_before_ = kept->reserved;
    durable_reserved_ = kept->reserved;
    kept_ = std::move(*kept);
}

void NodeView::on_link(const NodeId& node, msg::LinkEvent event) {
    switch (event) {
        case msg::LinkEvent::up: lost_.erase(node); break;
        case msg::LinkEvent::closed: lost_.try_emplace(node, life_of(node)); break;
        case msg::LinkEvent::silent: break;  // it may live, behind a cut
    }
}

Incarnation NodeView::life_of(const NodeId& node) const {
    Incarnation latest;
    for (const Member& member : now_.members) {
        latest = member.node == node ? std::max(latest, member.incarnation) : latest;
    }
    return latest;
}

void NodeView::beat(const msg::NodeHeartbeat& heartbeat) {
    msg::NodeHeartbeat told = heartbeat;
    told.table_epoch = now_.table.epoch;
    told.members_epoch = now_.members_epoch;
    for (const auto& [node, life] : lost_) {
        told.lost.push_back({node, life});
    }
    told.loads_version = loads_.version;
    for (const NodeId& meta : options_.metas) {
        env_.outbox.send({meta, Role::meta}, told);
    }
}

bool NodeView::may_ask(MonoTime now) {
    if (asked_ != MonoTime{} && now - asked_ < options_.ask_interval) {
        return false;
    }
    asked_ = now;
    return true;
}

NodeView::News NodeView::take(const NodeId& meta, const msg::NodeHeartbeatReply& reply,
                              MonoTime now) {
    News news;
    if (reply.incarnation != options_.incarnation) {
        return news;  // meant for an earlier life
    }
    news = {.answered = true, .first = !greeted_};
    greeted_ = true;
    from_kept_ = false;
    kept_.reset();
    refusal_.reset();
    leader_ = meta;
    heard_ = std::max(heard_, now);
    raise_ceiling(reply.version_ceiling);
    news.members = reply.members && adopt(reply.members_epoch, *reply.members);
    news.table = reply.table && adopt(meta, *reply.table, now);
    if (reply.loads && reply.loads->version != loads_.version) {
        loads_ = *reply.loads;
        news.loads = true;
    }
    return news;
}

void NodeView::raise_ceiling(Version ceiling) {
    if (ceiling > now_.ceiling) {
        now_.ceiling = ceiling;
        changed_ = true;
    }
}

bool NodeView::adopt(std::uint64_t epoch, const std::vector<Member>& members) {
    if (epoch <= now_.members_epoch) {
        return false;
    }
    now_.members = members;
    now_.members_epoch = epoch;
    changed_ = true;
    std::erase_if(lost_, [this](const auto& item) {
        return std::ranges::find(now_.members, item.first, &Member::node) == now_.members.end();
    });
    return true;
}

bool NodeView::adopt(const NodeId& from, const SlotTable& table, MonoTime now) {
    if (table.epoch <= now_.table.epoch) {
        note_older(from, table.epoch, now);
        return false;
    }
    now_.table = table;
    changed_ = true;
    return true;
}

void NodeView::note_older(const NodeId& from, Epoch offered, MonoTime now) {
    if (offered == now_.table.epoch || offered == Epoch{}) {
        return;  // told twice, or there is none
    }
    older_tables_.add();
    if (older_said_ && now - *older_said_ < kSayAgain) {
        return;
    }
    older_said_ = now;
    env_.log.info("node.view.older",
                  {{"from", from.raw()},
                   {"why", fmt::format("the slot table of epoch {} that node '{}' offers is older "
                                       "than the one of epoch {} that is used, and is ignored: a "
                                       "late message; if it goes on, look whether that node is "
                                       "cut off from the metas (muster members)",
                                       offered.raw(), from.raw(), now_.table.epoch.raw())}});
}

void NodeView::ask(const msg::RoleAddress& of, MonoTime now) {
    if (silence(now) >= kMetasSilent &&
        (asked_peer_ == MonoTime{} || now - asked_peer_ >= kMetasSilent)) {
        asked_peer_ = now;
        env_.outbox.send(of, msg::ViewRequest{.table_epoch = now_.table.epoch});
    }
}

void NodeView::answer(const msg::RoleAddress& to, const msg::ViewRequest& request) const {
    if (request.table_epoch < now_.table.epoch) {
        env_.outbox.send(to, msg::ViewReply{.table = now_.table,
                                            .members_epoch = now_.members_epoch,
                                            .members = now_.members,
                                            .version_ceiling = now_.ceiling});
    }
}

NodeView::News NodeView::take(const NodeId& peer, const msg::ViewReply& told, MonoTime now) {
    News news;
    if (!greeted_ && !from_kept_) {
        return news;
    }
    news.table = adopt(peer, told.table, now);
    if (!news.table) {
        return news;
    }
    raise_ceiling(told.version_ceiling);
    news.members = adopt(told.members_epoch, told.members);
    env_.log.info("node.view.told", {{"table_epoch", now_.table.epoch.raw()}});
    return news;
}

void NodeView::take(const msg::NodeRefused& refused, MonoTime now) {
    if (refused.incarnation != options_.incarnation || refused.folder != options_.folder) {
        return;  // for the other one that claims our id
    }
    if (!refusal_) {
        env_.log.error("node.refused", {{"why", to_string(refused.why)}});
        refusal_ = Refusal{refused.why, now};
    }
}

std::optional<Error> NodeView::refused(MonoTime now) const {
    if (refusal_ && now - refusal_->since >= options_.refused_for_good) {
        return refusal_->why;
    }
    return std::nullopt;
}

NodeView::News NodeView::use_kept(MonoTime now) {
    News news;
    if (!kept_ || now - started_ < options_.meta_wait) {
        return news;
    }
    const KeptView kept = *std::exchange(kept_, std::nullopt);
    if (kept.table.slots.empty()) {
        return news;
    }
    env_.log.warning("node.view.kept",
                     {{"table_epoch", kept.table.epoch.raw()}, {"members", kept.members.size()}});
    from_kept_ = true;
    now_.table = kept.table;
    now_.members = kept.members;
    now_.members_epoch = kept.members_epoch;
    now_.ceiling = std::max(now_.ceiling, kept.ceiling);
    news.table = true;
    news.members = !kept.members.empty();
    return news;
}

const Member* NodeView::find(const NodeId& node, Role role) const {
    const auto found = std::ranges::find_if(now_.members, [&](const Member& member) {
        return member.node == node && member.role == role;
    });
    return found == now_.members.end() ? nullptr : &*found;
}

// Half of what is reserved ahead may be used up before it is written anew.
void NodeView::reserve(Version highest) {
    if (now_.reserved.raw() >= highest.raw() + (options_.reserve_ahead / 2)) {
        return;
    }
    const Version wanted(std::min(highest.raw() + options_.reserve_ahead, now_.ceiling.raw()));
    if (wanted > now_.reserved) {
        now_.reserved = wanted;
        changed_ = true;
        if (env_.disk == nullptr) {
            durable_reserved_ = wanted;
        }
    }
}

void NodeView::flush(MonoTime now) {
    if (env_.disk == nullptr || !changed_ || writing_) {
        return;
    }
    // Who needs versions does not wait for the pace, but for a disk that failed.
    const bool urgent = durable_reserved_ < now_.reserved && !failed_;
    if (wrote_ && now - *wrote_ < options_.write_interval && !urgent) {
        return;
    }
    // Before the metas answered, what an earlier life kept is better than nothing.
    KeptView next = now_;
    if (kept_) {
        next = *kept_;
        next.reserved = now_.reserved;
    }
    changed_ = false;
    writing_ = true;
    wrote_ = now;
    writing_reserved_ = next.reserved;
    env_.disk->replace(env::DiskOpId(++last_op_), kFile, encode_view(next));
}

void NodeView::on_disk(env::DiskOpId op, const Result<void>& outcome) {
    CHECK(op.raw() == last_op_);
    writing_ = false;
    failed_ = !outcome;
    if (outcome) {
        durable_reserved_ = std::max(durable_reserved_, writing_reserved_);
        return;
    }
    failures_.add();
    changed_ = true;
    env_.log.warning("node.view.failed", {{"reason", to_string(outcome.error())}});
}

void NodeView::extend(Duration gap) {
    started_ += gap;
    heard_ += gap;
    if (refusal_) {
        refusal_->since += gap;
    }
}

}  // namespace muster::node
