/*
 * An enumeration of C strings as one of ICU's class, in place of a header that ICU keeps to itself.
 */
#pragma once
#include <unicode/strenum.h>
#include <unicode/uenum.h>

U_NAMESPACE_BEGIN

class AdoptedEnumeration final : public StringEnumeration {
  public:
    explicit AdoptedEnumeration(UEnumeration *strings) : strings_(strings) {}
    ~AdoptedEnumeration() override { uenum_close(strings_); }
    AdoptedEnumeration(const AdoptedEnumeration &) = delete;
    AdoptedEnumeration &operator=(const AdoptedEnumeration &) = delete;

    int32_t count(UErrorCode &status) const override { return uenum_count(strings_, &status); }

    const UnicodeString *snext(UErrorCode &status) override {
        int32_t length = 0;
        const UChar *text = uenum_unext(strings_, &length, &status);
        if (text == nullptr || U_FAILURE(status)) {
            return nullptr;
        }
        unistr.setTo(text, length);
        return &unistr;
    }

    void reset(UErrorCode &status) override { uenum_reset(strings_, &status); }

    UClassID getDynamicClassID() const override { return nullptr; }

  private:
    UEnumeration *strings_;
};

U_NAMESPACE_END

#define UStringEnumeration AdoptedEnumeration
