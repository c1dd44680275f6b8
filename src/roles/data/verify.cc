#include <algorithm>

#include "roles/data/data_impl.h"

// What operators compare: the copies held here, and what leaders hold of each session
// (roles/verify).
namespace muster::data {
namespace {

// What a store holds of all, or of `owner` alone: by service, or by publication of one service.
class DetailLines {
public:
    DetailLines(const store::DatumStore& store, std::optional<store::OwnerId> owner)
        : store_(store), owner_(owner) {}

    void add_service(const std::string& name, const store::DatumStore::Datum& datum) {
        msg::VerifyLine line{.name = name, .digest = {}, .count = 0};
        for (const auto& entry : datum.entries) {
            if (const Publication* one = held(entry)) {
                line.digest.add(digest_of(one->id, one->order));
                ++line.count;
            }
        }
        add(std::move(line));
    }
    void add_publications(const store::DatumStore::Datum& datum) {
        for (const auto& entry : datum.entries) {
            if (const Publication* one = held(entry)) {
                add({.name = one->id.raw(), .digest = digest_of(one->id, one->order), .count = 1});
            }
        }
    }
    [[nodiscard]] msg::VerifyDetail take() && {
        return std::move(detail_);
    }

private:
    [[nodiscard]] const Publication* held(const store::DatumStore::Entry& entry) const {
        return owner_ ? store_.held_by(*owner_, entry) : entry.publication.get();
    }
    void add(msg::VerifyLine line) {
        if (line.count == 0) {
            return;
        }
        if (detail_.lines.size() == msg::VerifyDetail::kLinesMax) {
            detail_.more = true;
        } else {
            detail_.lines.push_back(std::move(line));
        }
    }

    const store::DatumStore& store_;
    std::optional<store::OwnerId> owner_;
    msg::VerifyDetail detail_;
};

}  // namespace

void DataServer::Impl::on(const msg::RoleAddress& from, const msg::VerifyRequest& request) {
    if (request.session != NodeId{}) {
        msg::VerifyRequest passed_on = request;
        passed_on.session = {};
        env_.outbox.send({request.session, Role::session}, std::move(passed_on));
        return;
    }
    msg::VerifyReply reply{
        .incarnation = request.incarnation, .request = request.request, .copies = {}, .detail = {}};
    const auto wanted = [&](SlotId id) {
        return request.slots.empty() || std::ranges::find(request.slots, id) != request.slots.end();
    };
    for (const auto& [id, slot] : slots_.led()) {
        if (wanted(id)) {
            reply.copies.push_back(copy_of(id, *slot));
        }
    }
    for (const auto& [id, slot] : slots_.followed()) {
        if (wanted(id) && !slot->acting) {
            const store::DatumStore& store = slot->store;
            reply.copies.push_back(
                {.slot = id,
                 .slot_epoch = slot->epoch,
                 .held = slot->log.position(),
                 .whole = slot->can_be_copied(),
                 .settled = slot->settled && slot->synced(),
                 .digest = store.digest(),
                 .publications = static_cast<std::uint32_t>(store.publication_count()),
                 .owners = {}});
        }
    }
    std::ranges::sort(reply.copies, {}, [](const auto& copy) { return copy.slot; });
    if (request.detail) {
        reply.detail = detail_of(*request.detail);
    }
    env_.outbox.send(from, std::move(reply));
}

msg::VerifyReply::Copy DataServer::Impl::copy_of(SlotId id, const LedSlot& slot) const {
    msg::VerifyReply::Copy copy{
        .slot = id,
        .slot_epoch = slot.epoch,
        .held = slot.acting ? slot.acts_from : slot.log.position(),
        .leads = !slot.acting,
        .acting = slot.acting,
        .whole = true,
        .settled = slot.settled,
        .digest = slot.store.digest(),
        .publications = static_cast<std::uint32_t>(slot.store.publication_count()),
        .owners = {}};
    for (const auto& [owner, held] : slot.store.owners()) {
        copy.owners.push_back({.session = owners_.session(owner),
                               .life = Owners::life(owner),
                               .digest = held.digest,
                               .count = held.count});
    }
    if (const auto absent = absent_.find(id); absent != absent_.end()) {
        for (const auto& [owner, reason] : absent->second) {
            (reason == GoneReason::closed ? copy.orphans : copy.held_back) +=
                slot.store.digest_of_owner(owner).count;
        }
    }
    return copy;
}

msg::VerifyDetail DataServer::Impl::detail_of(const msg::VerifyRequest::Detail& wish) {
    const LedSlot* led = slots_.find(wish.slot);
    const FollowedSlot* followed = slots_.find_followed(wish.slot);
    const auto owner = owners_.find(wish.owner, wish.life);
    if ((led == nullptr && followed == nullptr) || (wish.owner != NodeId{} && !owner)) {
        return {};
    }
    const store::DatumStore& store = led != nullptr ? led->store : followed->store;
    const auto& data = store.data();
    DetailLines lines(store, owner);
    if (wish.service.empty()) {
        for (const auto& [name, datum] : data) {
            lines.add_service(name, datum);
        }
    } else if (const auto found = data.find(wish.service); found != data.end()) {
        lines.add_publications(found->second);
    }
    return std::move(lines).take();
}

// The answer to what was passed on.
void DataServer::Impl::on(const msg::RoleAddress& from, const msg::VerifySessionReply& reply) {
    if (from.role == Role::session && reply.asker != options_.node) {
        env_.outbox.send({reply.asker, reply.asker_role}, reply);
    }
}

}  // namespace muster::data
