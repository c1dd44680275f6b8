#include "model/interned_text.h"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <unordered_set>

namespace muster {

struct InternedText::Record {
    explicit Record(std::string_view from) : text(from) {}

    std::string text;
    std::atomic<std::uint64_t> names{1};
};

// A count falls to zero under the lock only, so that a text which is found there lives.
class InternedText::Table {
public:
    // Never destroyed: texts may outlive whatever ends with the process.
    static Table& instance() {
        static auto* const table = new Table;
        return *table;
    }

    Record* take(std::string_view text) {
        const std::lock_guard lock(mutex_);
        if (const auto known = records_.find(text); known != records_.end()) {
            ++(*known)->names;
            return *known;
        }
        return *records_.insert(new Record(text)).first;
    }

    void release(Record* record) {
        std::uint64_t names = record->names.load(std::memory_order_relaxed);
        while (names > 1) {
            if (record->names.compare_exchange_weak(names, names - 1, std::memory_order_release,
                                                    std::memory_order_relaxed)) {
                return;
            }
        }
        const std::lock_guard lock(mutex_);
        if (record->names.fetch_sub(1, std::memory_order_acq_rel) == 1) {
            records_.erase(record);
            delete record;
        }
    }

    std::size_t size() {
        const std::lock_guard lock(mutex_);
        return records_.size();
    }

private:
    struct ByText {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>{}(text);
        }
        std::size_t operator()(const Record* record) const {
            return (*this)(record->text);
        }
        bool operator()(const Record* a, const Record* b) const {
            return a->text == b->text;
        }
        bool operator()(const Record* a, std::string_view b) const {
            return a->text == b;
        }
        bool operator()(std::string_view a, const Record* b) const {
            return a == b->text;
        }
    };

    std::mutex mutex_;
    std::unordered_set<Record*, ByText, ByText> records_;
};

InternedText::InternedText(std::string_view text)
    : record_(text.empty() ? nullptr : Table::instance().take(text)) {}

InternedText::InternedText(const InternedText& other) : record_(other.record_) {
    if (record_ != nullptr) {
        record_->names.fetch_add(1, std::memory_order_relaxed);
    }
}

InternedText::~InternedText() {
    if (record_ != nullptr) {
        Table::instance().release(record_);
    }
}

std::string_view InternedText::view() const {
    return record_ == nullptr ? std::string_view("") : std::string_view(record_->text);
}

std::size_t InternedText::count() {
    return Table::instance().size();
}

}  // namespace muster
