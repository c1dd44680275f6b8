#include "list.h"

muster_list::muster_list(muster::client::ListKey key, muster::client::ListState state,
                         muster::MonoTime received)
    : key_(std::move(key)),
      state_(std::move(state)),
      path_(key_.service.path()),
      received_(received) {
    for (const auto& publication : state_.view->publications) {
        count_ += publication->boxes.size();
    }
}

const std::vector<muster::sdk_core::ListEntry>& muster_list::entries() const {
    std::call_once(read_, [this] {
        entries_.reserve(count_);
        for (const auto& publication : state_.view->publications) {
            for (const std::string_view box : publication->boxes) {
                auto endpoint = muster::Endpoint::parse(box);
                entries_.push_back(
                    {.publication = publication.get(),
                     .box = box,
                     .endpoint = endpoint ? std::move(*endpoint) : muster::Endpoint{}});
            }
        }
    });
    return entries_;
}

void muster_list::release() const {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        delete this;
    }
}
