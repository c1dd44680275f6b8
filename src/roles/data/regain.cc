#include "roles/data/regain.h"

#include <algorithm>
#include <utility>

#include "roles/data/data_impl.h"

namespace muster::data {
namespace {

constexpr std::size_t kLoadsMax = 4;
// Positions of lives are apart: a later one begins above all an earlier one can have reached. Lives
// are numbered by the time of their start in milliseconds; none appends more than so many a
// millisecond.
constexpr unsigned kEntriesPerLifeBits = 19;

}  // namespace

void Regain::begin(const std::map<SlotId, Epoch>& lost, std::set<NodeId> holders, MonoTime now) {
    for (const auto& [id, epoch] : lost) {
        slots_[id].epoch = epoch;
    }
    unheard_ = std::move(holders);
    since_ = now;
    asked_.reset();
}

void Regain::keep_only(const std::map<SlotId, Epoch>& lost) {
    std::erase_if(slots_, [&](const auto& item) { return !lost.contains(item.first); });
}

std::vector<SlotId> Regain::heard(const NodeId& holder, const msg::CopiesReply& reply,
                                  MonoTime now) {
    std::vector<SlotId> outdated;
    if (!asking(now) || unheard_.erase(holder) == 0) {
        return outdated;
    }
    for (const auto& copy : reply.copies) {
        const auto found = slots_.find(copy.slot);
        if (found == slots_.end()) {
            continue;
        }
        Wanted& wanted = found->second;
        if (copy.slot_epoch > wanted.epoch) {
            outdated.push_back(copy.slot);
            slots_.erase(found);
            continue;
        }
        if (copy.slot_epoch == wanted.epoch && copy.held.epoch != Epoch{} &&
            std::pair(copy.acting, copy.held) > std::pair(wanted.acting, wanted.held)) {
            wanted.source = holder;
            wanted.acting = copy.acting;
            wanted.held = copy.held;
        }
    }
    return outdated;
}

void Regain::ended(const NodeId& node) {
    unheard_.erase(node);
    for (auto& [id, wanted] : slots_) {
        wanted.done = wanted.done || wanted.source == node;
    }
}

Regain::Questions Regain::due(MonoTime now) {
    Questions questions;
    if (slots_.empty()) {
        return questions;
    }
    if (asking(now)) {
        if (!asked_ || now - *asked_ >= options_.retry) {
            asked_ = now;
            questions.holders.assign(unheard_.begin(), unheard_.end());
        }
        return questions;
    }
    std::size_t loads = 0;
    for (auto& [id, wanted] : slots_) {
        if (wanted.done) {
            continue;
        }
        if (wanted.source == NodeId{} ||
            (wanted.load != nullptr && now - wanted.heard >= options_.patience)) {
            wanted.done = true;
            continue;
        }
        if (loads == kLoadsMax) {
            continue;
        }
        ++loads;
        if (wanted.load == nullptr) {
            wanted.load = std::make_unique<Load>();
            wanted.load->image = ++last_image_;
            wanted.heard = now;
        } else if (now - wanted.asked < options_.retry) {
            continue;
        }
        wanted.asked = now;
        questions.parts.push_back({.of = wanted.source,
                                   .slot = id,
                                   .epoch = wanted.epoch,
                                   .image = wanted.load->image,
                                   .part = wanted.load->part,
                                   .from = wanted.load->from});
    }
    return questions;
}

Load* Regain::expects(const NodeId& from, const msg::SlotImage& part) {
    const auto found = slots_.find(part.slot);
    if (found == slots_.end()) {
        return nullptr;
    }
    Wanted& wanted = found->second;
    const bool asked = !wanted.done && wanted.load != nullptr && wanted.source == from &&
                       wanted.epoch == part.slot_epoch && wanted.load->image == part.image &&
                       wanted.load->part == part.part;
    return asked ? wanted.load.get() : nullptr;
}

void Regain::took(const msg::SlotImage& part, MonoTime now) {
    Wanted& wanted = slots_.at(part.slot);
    wanted.load->from = part.next;
    ++wanted.load->part;
    wanted.heard = now;
    wanted.asked = MonoTime{};
    wanted.done = part.last;
}

bool Regain::done() const {
    return std::ranges::all_of(slots_, [](const auto& item) { return item.second.done; });
}

store::DatumStore Regain::copy_of(SlotId slot) {
    const auto found = slots_.find(slot);
    if (found == slots_.end()) {
        return {};
    }
    const auto wanted = slots_.extract(found);
    return wanted.mapped().load == nullptr ? store::DatumStore{}
                                           : std::move(wanted.mapped().load->store);
}

void Regain::extend(Duration gap) {
    since_ += gap;
    for (auto& [id, wanted] : slots_) {
        wanted.heard += gap;
    }
}

// ---- the data server's part

void DataServer::Impl::begin_regain(MonoTime now) {
    std::set<NodeId> holders;
    for (const auto& [id, epoch] : slots_.lost()) {
        const auto& followers = slots_.table().slots[id.raw()].followers;
        holders.insert(followers.begin(), followers.end());
    }
    if (!slots_.lost().empty()) {
        env_.log.warning("data.regain",
                         {{"slots", slots_.lost().size()}, {"holders", holders.size()}});
        regain_.begin(slots_.lost(), std::move(holders), now);
        look_after_regain(now);
    }
}

// All slots at once: a word of a leader ends what others do in its stead, in all of its slots.
void DataServer::Impl::look_after_regain(MonoTime now) {
    if (slots_.lost().empty()) {
        return;
    }
    const auto questions = regain_.due(now);
    for (const NodeId& node : questions.holders) {
        msg::CopiesRequest request{.data = options_.incarnation, .slots = {}};
        for (const auto& [id, epoch] : slots_.lost()) {
            request.slots.push_back(id);
        }
        env_.outbox.send({node, Role::data}, std::move(request));
    }
    for (const auto& part : questions.parts) {
        env_.outbox.send({part.of, Role::data}, msg::ImageRequest{.data = options_.incarnation,
                                                                  .slot = part.slot,
                                                                  .slot_epoch = part.epoch,
                                                                  .image = part.image,
                                                                  .part = part.part,
                                                                  .from = part.from,
                                                                  .any_copy = true});
    }
    if (regain_.done()) {
        lead_again();
    }
}

void DataServer::Impl::on(const msg::RoleAddress& from, const msg::CopiesRequest& request) {
    msg::CopiesReply reply{.data = request.data, .copies = {}};
    for (const SlotId id : request.slots) {
        if (const LedSlot* led = slots_.find(id)) {
            reply.copies.push_back({.slot = id,
                                    .slot_epoch = led->epoch,
                                    .held = led->acting ? led->acts_from : led->log.position(),
                                    .acting = led->acting});
        } else if (const FollowedSlot* followed = slots_.find_followed(id)) {
            reply.copies.push_back(
                {.slot = id, .slot_epoch = followed->epoch, .held = followed->log.position()});
        }
    }
    env_.outbox.send(from, std::move(reply));
}

void DataServer::Impl::on(const msg::RoleAddress& from, const msg::CopiesReply& reply) {
    if (reply.data != options_.incarnation) {
        return;  // to an earlier life
    }
    for (const SlotId id : regain_.heard(from.node, reply, env_.clock.mono())) {
        env_.log.warning("data.regain.outdated", {{"slot", id.raw()}});
        slots_.give_up(id);
    }
    look_after_regain(env_.clock.mono());
}

void DataServer::Impl::lead_again() {
    const std::map<SlotId, Epoch> lost = slots_.lost();
    Slots::Changes changes;
    std::size_t publications = 0;
    for (const auto& [id, epoch] : lost) {
        LedSlot& slot = slots_.lead_again(id, regain_.copy_of(id),
                                          options_.incarnation.raw() << kEntriesPerLifeBits);
        publications += slot.store.publication_count();
        changes.begun.push_back(id);
    }
    probe_.slots_regained.add(lost.size());
    env_.log.info("data.regained", {{"slots", lost.size()}, {"publications", publications}});
    take_office(changes);
    look_after_followers(env_.clock.mono());
}

}  // namespace muster::data
