#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "model/publication.h"
#include "muster/muster.h"
#include "roles/client/client.h"

namespace muster::sdk_core {

// One box of one publication as the C face shows it.
struct ListEntry {
    const Publication* publication = nullptr;
    std::string_view box;  // a zero byte is behind it
    Endpoint endpoint;     // ip empty and port zero: the box is none
};

}  // namespace muster::sdk_core

// A list at one version: immutable, counted, any thread. Boxes are read at the first look at them,
// so that being told costs nothing per endpoint.
struct muster_list {
public:
    muster_list(muster::client::ListKey key, muster::client::ListState state,
                muster::MonoTime received);

    [[nodiscard]] const muster::client::ListKey& key() const {
        return key_;
    }
    [[nodiscard]] const muster::client::ListState& state() const {
        return state_;
    }
    [[nodiscard]] const std::string& path() const {
        return path_;
    }
    [[nodiscard]] muster::MonoTime received() const {
        return received_;
    }
    // How many endpoints there are; costs no reading.
    [[nodiscard]] std::size_t count() const {
        return count_;
    }
    // In the order of registration ids, boxes of one in their order.
    [[nodiscard]] const std::vector<muster::sdk_core::ListEntry>& entries() const;

    void retain() const {
        refs_.fetch_add(1, std::memory_order_relaxed);
    }
    void release() const;

private:
    ~muster_list() = default;

    muster::client::ListKey key_;
    muster::client::ListState state_;
    std::string path_;
    muster::MonoTime received_;
    std::size_t count_ = 0;
    mutable std::once_flag read_;
    mutable std::vector<muster::sdk_core::ListEntry> entries_;
    mutable std::atomic<std::size_t> refs_{1};
};

namespace muster::sdk_core {

// A holder of a muster_list.
class ListRef {
public:
    ListRef() = default;
    // Takes over the reference that a new list is born with.
    explicit ListRef(const muster_list* list) : list_(list) {}
    ListRef(const ListRef& other) : list_(other.list_) {
        if (list_ != nullptr) {
            list_->retain();
        }
    }
    ListRef(ListRef&& other) noexcept : list_(std::exchange(other.list_, nullptr)) {}
    ListRef& operator=(ListRef other) noexcept {
        std::swap(list_, other.list_);
        return *this;
    }
    ~ListRef() {
        if (list_ != nullptr) {
            list_->release();
        }
    }

    [[nodiscard]] const muster_list* get() const {
        return list_;
    }
    const muster_list* operator->() const {
        return list_;
    }
    const muster_list& operator*() const {
        return *list_;
    }
    explicit operator bool() const {
        return list_ != nullptr;
    }
    // Gives the reference to the caller.
    [[nodiscard]] const muster_list* give() {
        return std::exchange(list_, nullptr);
    }

private:
    const muster_list* list_ = nullptr;
};

}  // namespace muster::sdk_core
