#include <algorithm>
#include <utility>

#include "roles/data/data_impl.h"

// From the follower of a slot to its leader.
namespace muster::data {
namespace {

// So many slots are loaded by image at once.
constexpr std::ptrdiff_t kLoadsMax = 4;
// So often a slot whose stream is in doubt is asked for, at most.
constexpr Duration kRecheck = std::chrono::seconds(2);
constexpr Duration kAckDelay = std::chrono::milliseconds(2);

}  // namespace

// Any word of a data node shows that it lives: who acted in its stead ends that.
void DataServer::Impl::hear_leader(const NodeId& node) {
    heard_[node] = env_.clock.mono();
    end_acting_for(node);
}

// A leader in another life than before, in the same epoch, lost its log with its copy: where we are
// means nothing to it.
void DataServer::Impl::on(const msg::RoleAddress& from, const msg::LeaderPulse& pulse) {
    hear_leader(from.node);
    if (pulse.table_epoch > slots_.table().epoch) {
        view_.ask(from, env_.clock.mono());
    } else if (pulse.table_epoch < slots_.table().epoch) {
        pulse_to(from.node, 0);  // it may not know that it leads no more
    }
    if (std::exchange(leader_lives_[from.node], pulse.data) == pulse.data) {
        check_streams(from.node, pulse);
        check_copies(from.node, pulse);
        return;
    }
    for (auto& [id, slot] : slots_.followed()) {
        if (slot->leader == from.node && !slot->acting) {
            slot->in_step = false;
        }
    }
    ask_leaders(env_.clock.mono());
}

// An entry that was late, or an answer that was lost, leaves both with another idea of which slots
// are streamed.
void DataServer::Impl::check_streams(const NodeId& leader, const msg::LeaderPulse& pulse) {
    const auto followed = [&](const FollowedSlot& slot) {
        return slot.leader == leader && slot.synced() && !slot.acting;
    };
    const auto count = std::ranges::count_if(
        slots_.followed(), [&](const auto& item) { return followed(*item.second); });
    if (pulse.table_epoch != slots_.table().epoch || std::cmp_equal(count, pulse.streamed)) {
        return;
    }
    const MonoTime now = env_.clock.mono();
    for (auto& [id, slot] : slots_.followed()) {
        if (followed(*slot) && now - slot->asked >= kRecheck) {
            ask_leader(id, *slot, now);
        }
    }
}

// The same position and another digest: the way here, or a memory, is not to be trusted.
void DataServer::Impl::check_copies(const NodeId& leader, const msg::LeaderPulse& pulse) {
    for (const auto& [id, held, digest, settled] : pulse.copies) {
        FollowedSlot* slot = slots_.find_followed(id);
        if (slot == nullptr || slot->leader != leader || slot->acting || !slot->synced() ||
            slot->log.position() != held) {
            continue;
        }
        if (slot->store.digest() == digest) {
            if (slot->settled != settled) {
                ask_leader(id, *slot, env_.clock.mono());  // what it told last was overtaken
            }
            continue;
        }
        probe_.copies_differed.add();
        env_.log.warning("data.copy.differs", {{"slot", id.raw()}, {"leader", leader.raw()}});
        slot->diverged = true;
        slot->in_step = false;
        ask_leaders(env_.clock.mono());
    }
}

// Asks for every slot whose leader has not answered in this epoch, or of which something is known
// to miss. A copy that has nothing yet takes an image, so only few such are asked for at once.
void DataServer::Impl::ask_leaders(MonoTime now) {
    auto loads = std::ranges::count_if(
        slots_.followed(), [](const auto& item) { return item.second->load != nullptr; });
    for (auto& [id, slot] : slots_.followed()) {
        if (slot->acting || slot->synced() ||
            (slot->asked != MonoTime{} && now - slot->asked < options_.follow_retry)) {
            continue;
        }
        if (slot->load != nullptr) {
            ask_part(id, *slot, now);
            continue;
        }
        if (slot->diverged || slot->log.position().epoch == Epoch{}) {
            if (loads >= kLoadsMax) {
                continue;
            }
            ++loads;
        }
        ask_leader(id, *slot, now);
    }
}

void DataServer::Impl::ask_leader(SlotId id, FollowedSlot& slot, MonoTime now) {
    slot.asked = now;
    msg::FollowSlot ask{.data = options_.incarnation,
                        .slot = id,
                        .slot_epoch = slot.epoch,
                        .held = slot.diverged ? LogPosition{} : slot.log.position()};
    add_beside(ask, slot);
    env_.outbox.send({slot.leader, Role::data}, std::move(ask));
}

void DataServer::Impl::ask_part(SlotId id, FollowedSlot& slot, MonoTime now) {
    slot.asked = now;
    env_.outbox.send({slot.leader, Role::data}, msg::ImageRequest{.data = options_.incarnation,
                                                                  .slot = id,
                                                                  .slot_epoch = slot.epoch,
                                                                  .image = slot.load->image,
                                                                  .part = slot.load->part,
                                                                  .from = slot.load->from});
}

void DataServer::Impl::on(const msg::RoleAddress& from, const msg::SlotEntries& message) {
    hear_leader(from.node);
    FollowedSlot* slot = slots_.find_followed(message.slot);
    if (slot == nullptr || message.data != options_.incarnation || slot->leader != from.node ||
        slot->epoch != message.slot_epoch || slot->diverged || slot->load != nullptr) {
        return;
    }
    const LogPosition at = slot->log.position();
    std::size_t skip = 0;  // those taken already
    if (at != message.after) {
        const bool same = at.epoch == message.entries_epoch;
        const std::uint64_t before =
            message.after.epoch == message.entries_epoch ? message.after.number : 0;
        if (same && at.number >= before && at.number - before <= message.entries.size()) {
            skip = at.number - before;
        } else if (same && at.number >= before) {
            owe_ack(message.slot);  // all of it is old
            return;
        } else {
            slot->in_step = false;
            if (env_.clock.mono() - slot->asked >= options_.gap_wait) {
                ask_leader(message.slot, *slot, env_.clock.mono());
            }
            return;
        }
    }
    if (slot->log.position().epoch != message.entries_epoch) {
        slot->log.begin(message.entries_epoch);
    }
    for (std::size_t i = skip; i < message.entries.size(); ++i) {
        install(*slot, message.entries[i]);
    }
    slot->in_step = true;
    if (message.in_doubt) {
        slot->settled = false;
        slot->whole = false;
    }
    if (message.settled) {
        slot->settled = true;
        slot->whole = slot->consistent();
    }
    if (!slot->withdrawn.empty() || !slot->given.empty()) {
        tell_on(message.slot, *slot);
    }
    owe_ack(message.slot);
}

void DataServer::Impl::install(FollowedSlot& slot, const msg::SlotEntry& told) {
    const MonoTime now = env_.clock.mono();
    store::LogEntry entry{.service = told.service,
                          .from = told.from,
                          .to = told.to,
                          .effects = {},
                          .trace = told.trace};
    for (const msg::OwnedWrite& write : told.writes) {
        const store::Write effect = owners_.numbered(write, told.service);
        const store::MarkPtr before = slot.store.mark_of(effect.id);
        bool visible = slot.store.install(effect, now);
        store::MarkPtr mark;
        if (effect.publication != nullptr) {
            mark = Owners::mark_of(write);
            slot.store.set_mark(*told.service, effect.id, mark);
            visible = (visible && !store::is_drained(mark)) || !store::are_equal(before, mark);
        }
        entry.effects.push_back({.id = effect.publication != nullptr ? RegistId{} : effect.id,
                                 .publication = effect.publication,
                                 .order = effect.order,
                                 .cause = effect.cause,
                                 .owner = effect.owner,
                                 .owner_seq = effect.owner_seq,
                                 .visible = visible,
                                 .connection = slot.store.tombstones().connection(effect.id),
                                 .mark = std::move(mark)});
    }
    if (told.to != Version{}) {
        slot.store.find_or_make(told.service).version = told.to;
        versions_.merge(told.to);
    } else if (told.writes.empty()) {
        slot.store.forget(*told.service);
    }
    slot.log.append(std::move(entry));
    probe_.entries_taken.add();
}

void DataServer::Impl::on(const msg::RoleAddress& from, const msg::SlotImage& part) {
    const MonoTime now = env_.clock.mono();
    Load* load = part.data == options_.incarnation ? regain_.expects(from.node, part) : nullptr;
    if (load != nullptr) {
        install_part(*load, part);
        regain_.took(part, now);
        look_after_regain(now);
        return;
    }
    hear_leader(from.node);
    FollowedSlot* slot = slots_.find_followed(part.slot);
    if (slot == nullptr || part.data != options_.incarnation || slot->leader != from.node ||
        slot->epoch != part.slot_epoch || slot->acting) {
        return;
    }
    if (slot->synced()) {
        // A request that was overtaken by a later one makes the leader believe that we have
        // nothing, and stream to us no more: we say where we are until it goes on from there.
        if (part.image == 0) {
            slot->in_step = false;
            ask_leader(part.slot, *slot, now);
        }
        return;
    }
    if (part.image == 0 && slot->load == nullptr) {
        slot->load = std::make_unique<Load>();
        slot->load->image = ++last_image_;
        slot->load->at = part.position;
    } else if (slot->load == nullptr || part.image != slot->load->image ||
               part.part != slot->load->part) {
        return;  // doubled, or of an attempt that was given up
    }
    Load& own = *slot->load;
    install_part(own, part);
    own.from = part.next;
    ++own.part;
    if (!part.last) {
        ask_part(part.slot, *slot, now);
        return;
    }
    slot->withdrawn = own.store.remember_too(slot->store.tombstones());
    note_given(*slot, own.store);
    slot->store = std::move(own.store);
    slot->log.reset(own.at, slot->store.highest_version(), part.gaps);
    slot->whole_from = part.position;
    slot->whole = part.settled && slot->consistent();
    slot->settled = part.settled;
    slot->diverged = false;
    slot->load = nullptr;
    probe_.images_taken.add();
    ask_leader(part.slot, *slot, now);
    ask_leaders(now);  // the next slot that waits for an image
}

void DataServer::Impl::install_part(Load& load, const msg::SlotImage& part) {
    probe_.image_parts_taken.add();
    const MonoTime now = env_.clock.mono();
    for (const auto& item : part.data_items) {
        load.store.find_or_make(item.service).version = item.version;
        versions_.merge(item.version);
        for (const msg::OwnedWrite& write : item.publications) {
            if (write.publication != nullptr) {
                load.store.install(owners_.numbered(write, item.service), now);
                load.store.set_mark(*item.service, write.id, Owners::mark_of(write));
            }
        }
    }
    for (const auto& stone : part.tombstones) {
        load.store.install_tombstone({.removal = owners_.numbered(stone.write, stone.service),
                                      .since = now - std::chrono::milliseconds(stone.age_ms),
                                      .connection = stone.connection,
                                      .mark = Owners::mark_of(stone.write)});
    }
}

// Acknowledgements of a moment go together.
void DataServer::Impl::owe_ack(SlotId id) {
    acks_due_.insert(id);
    if (!ack_armed_) {
        ack_armed_ = true;
        env_.timers.arm(kAckTimer, kAckDelay);
    }
}

void DataServer::Impl::send_acks() {
    ack_armed_ = false;
    std::map<NodeId, msg::FollowAck> acks;
    for (const SlotId id : std::exchange(acks_due_, {})) {
        const FollowedSlot* slot = slots_.find_followed(id);
        if (slot == nullptr || slot->acting || slot->diverged) {
            continue;
        }
        acks[slot->leader].items.push_back(
            {.slot = id, .held = slot->log.position(), .settled = slot->settled});
    }
    for (auto& [leader, ack] : acks) {
        ack.data = options_.incarnation;
        env_.outbox.send({leader, Role::data}, std::move(ack));
    }
}

}  // namespace muster::data
