#include <algorithm>

#include "roles/data/data_impl.h"

// What sessions want to hear of; answers.cc decides what they are told.
namespace muster::data {

using Stand = Interest::Stand;

namespace {

// Whether it is about the slot as led in `epoch`.
bool is_for(const msg::InterestDeclare::Item& item, Epoch epoch) {
    return item.slot_epoch == Epoch{} || item.slot_epoch == epoch;
}

}  // namespace

void DataServer::Impl::on(const msg::RoleAddress& from, const msg::InterestDeclare& declare) {
    SessionLink* link = hear(from.node, declare.session);
    if (link == nullptr || declare.stream < link->tells.number()) {
        return;
    }
    for (const auto& item : declare.items) {  // I2: above everything heard
        versions_.merge(item.held);
        versions_.merge_said(item.highest());
    }
    keep_reserve();
    if (put_off(from, declare) || versions_.exhausted()) {
        return;
    }
    if (declare.stream > link->tells.number()) {
        forget_interests(*link);
        link->tells.begin(declare.stream);
    }
    if (link->parts.insert(declare.part).second) {
        std::map<SlotId, msg::NotLeading::Item> refused;
        for (const auto& item : declare.items) {
            const std::string name = item.service->data_info_id();
            if (link->interests.size() >= options_.interests_per_session_max &&
                !link->interests.contains(name)) {
                probe_.interests_refused.add();
                break;
            }
            const auto [found, inserted] = link->interests.try_emplace(name);
            Interest& interest = found->second;
            if (inserted) {
                watchers_.add(name, *link);
            }
            if (interest.part > declare.part) {
                continue;  // said anew since
            }
            interest.service = item.service;
            interest.part = declare.part;
            interest.said = item;
            interest.since = env_.clock.mono();
            interest.stand = Stand::early;
            const auto id = slots_.id_of(*item.service);
            const Epoch epoch = id ? slots_.epoch_of(*id) : Epoch{};
            LedSlot* slot = id && is_for(item, epoch) ? serve(*id, declare.acting) : nullptr;
            if (slot != nullptr) {
                answer(*slot, *link, interest);
                continue;
            }
            if (id) {
                refused[*id] = {.slot = *id, .slot_epoch = epoch, .acting = declare.acting};
            }
            // The table that gives us the slot may still be on its way: it is answered then. Others
            // are declared again when the session takes that way again: it may hold more by then.
            if (declare.acting || (item.slot_epoch != Epoch{} && item.slot_epoch < epoch)) {
                watchers_.remove(name, *link);
                link->interests.erase(found);
            }
        }
        std::vector<msg::NotLeading::Item> items;
        for (const auto& [id, item] : refused) {
            items.push_back(item);
        }
        refuse(*link, std::move(items));
    }
    env_.outbox.send(
        from, msg::InterestAck{
                  .session = declare.session, .stream = declare.stream, .part = declare.part});
}

// Those who declared interest before the table that gives us the slots was here.
void DataServer::Impl::answer_early(const std::vector<SlotId>& begun) {
    if (begun.empty()) {
        return;
    }
    for (auto& [node, link] : sessions_.all()) {
        for (auto& [name, interest] : link.interests) {
            const auto id = slots_.id_of(*interest.service);
            if (interest.stand == Stand::early && id && std::ranges::binary_search(begun, *id) &&
                is_for(interest.said, slots_.epoch_of(*id))) {
                answer(*slots_.find(*id), link, interest);
            }
        }
    }
}

void DataServer::Impl::forget_interests(SessionLink& link) {
    for (const auto& [name, interest] : link.interests) {
        uncount(interest);
        watchers_.remove(name, link);
    }
    link.interests.clear();
    link.parts.clear();
}

void DataServer::Impl::uncount(const Interest& interest) {
    if (!interest.counted) {
        return;
    }
    if (LedSlot* slot = slots_.find(*interest.service); slot != nullptr) {
        if (auto* datum = slot->store.find(*interest.service);
            datum != nullptr && datum->interested > 0) {
            --datum->interested;
        }
    }
}

void DataServer::Impl::on(const msg::RoleAddress& from, const msg::InterestDrop& drop) {
    SessionLink* link = hear(from.node, drop.session);
    if (link == nullptr || drop.stream != link->tells.number()) {
        return;
    }
    for (const auto& service : drop.services) {
        const auto interest = link->interests.find(service->data_info_id());
        if (interest != link->interests.end() && interest->second.part <= drop.part) {
            uncount(interest->second);
            watchers_.remove(interest->first, *link);
            link->interests.erase(interest);
        }
    }
}

// We lead these no longer: sessions that were told of them are told so, and told no more.
void DataServer::Impl::end_interests(const std::vector<SlotId>& ended, bool acting) {
    if (ended.empty()) {
        return;
    }
    for (auto& [node, link] : sessions_.all()) {
        for (auto item = link.interests.begin(); item != link.interests.end();) {
            const auto id = slots_.id_of(*item->second.service);
            const bool over = id && std::ranges::binary_search(ended, *id);
            if (over && item->second.stand != Stand::early) {
                watchers_.remove(item->first, link);
                item = link.interests.erase(item);
                continue;
            }
            item->second.counted = item->second.counted && !over;
            ++item;
        }
        std::vector<msg::NotLeading::Item> items;
        for (const SlotId id : ended) {
            link.supplied.erase(id);
            items.push_back({.slot = id, .slot_epoch = slots_.epoch_of(id), .acting = acting});
        }
        refuse(link, std::move(items));
    }
}

}  // namespace muster::data
